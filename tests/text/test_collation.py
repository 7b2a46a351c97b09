from core.text.collation import sort_key


def test_names_stand_as_a_reader_expects():
    names = ["Zalo", "đèn", "áo dài", "Bánh", "Ấm chén", "dép", "bánh", "ÁO 2", "Đèn lồng"]
    assert sorted(names, key=sort_key) == [
        "Ấm chén",
        "ÁO 2",
        "áo dài",
        "Bánh",
        "bánh",
        "đèn",
        "Đèn lồng",
        "dép",
        "Zalo",
    ]
