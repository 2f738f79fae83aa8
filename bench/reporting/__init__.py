"""Reports: Records -> Cells -> tables and a page."""
