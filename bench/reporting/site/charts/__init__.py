"""Charts of the board as inline SVG: values in, text out, no script.

Each chart is one file with one public function that returns a `Chart` (see `chart`); `inputs`
makes what they need from a Board. The page inlines `charts.css` once:

    chart = forest_chart(change, "forest-1", href=lambda task: f"task/{task}.html")
    f'<figure><div class="chart-scroll">{chart.svg}</div><figcaption>...'
"""
