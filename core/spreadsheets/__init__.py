"""Tables as people exchange them: reads CSV and workbooks (`reading.py`), writes both (`csv_writer.py`,
`workbook_writer.py`), and lets no cell become a formula (`formula_guard.py`). It knows no feature."""
