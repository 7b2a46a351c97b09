from core.alphabet import in_order


def test_names_stand_as_a_reader_expects():
    names = ["Zalo", "đèn", "áo dài", "Bánh", "Ấm chén", "dép", "bánh", "ÁO 2", "Đèn lồng"]
    assert sorted(names, key=in_order) == [
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
