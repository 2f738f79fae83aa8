"""The words of the page of judgments, in English and Chinese.

Looked up through `bench.reporting.site.strings`.

    JUDGMENT_STRINGS["rating"]    ("Rating", "评级分")
"""

from collections.abc import Mapping

JUDGMENT_STRINGS: Mapping[str, tuple[str, str]] = {
    "judgments_note": (
        "Who is preferred to whom. A draw counts as half a win; brackets are {level} intervals, by "
        "prompt, and by judge where five or more judged. At equal length stands what is left where "
        "both replies are equally long: judges tend to prefer the longer one. Where a model was "
        "judged against its parent, its win rate less 50 is its difference there. Ratings and "
        "counts take a preference above one half as a win.",
        "谁更受偏好。平局计半胜；方括号内为 {level} 区间，按提示词成组，评审达五位时也按评审成组。"
        "“等长时”一栏是双方回答一样长时剩下的差别：评审往往偏好较长的回答。"
        "若模型的比较对象就是其父模型，胜率减去 50 即为两者之差。"
        "评级与胜负计数把高于一半的偏好记为胜。",
    ),
    "judges": ("Judges", "评审"),
    "judges_agree": ("Do judges agree", "评审是否一致"),
    "agreement_unknown": (
        "Unknown: no reply has two judges.",
        "未知：没有任何回答由两位评审评过。",
    ),
    "agreement_facts": (
        "Krippendorff's alpha {alpha} (0 chance, 1 always); the same choice in {raw} of 100 pairs "
        "of judges; {n} replies with two judges or more.",
        "Krippendorff α 为 {alpha}（0 为随机，1 为完全一致）；每 100 对评审中有 {raw} 对选择相同；"
        "{n} 个回答由两位以上评审评过。",
    ),
    "first_slot": ("The reply shown first", "先展示的回答"),
    "slot_unknown": (
        "Unknown: nobody says which reply was shown first.",
        "未知：没有说明先展示了哪个回答。",
    ),
    "slot_facts": (
        "won {rate} of 100 decided judgments ({first} to {second}, p {p} against a coin).",
        "在每 100 次分出胜负的评判中赢 {rate} 次（{first} 比 {second}，对比抛硬币 p {p}）。",
    ),
    "matches": ("Matches", "对战"),
    "matches_caption": (
        "Every model against whom it was judged against",
        "每个模型对其比较对象的胜率",
    ),
    "reference": ("Against", "对比对象"),
    "win_rate": ("Win rate", "胜率"),
    "at_equal_length": ("At equal length", "等长时"),
    "wins": ("Wins", "胜"),
    "draws": ("Draws", "平"),
    "losses": ("Losses", "负"),
    "not_identified": ("not known", "无法得知"),
    "ratings": ("Ratings", "评级"),
    "ratings_caption": (
        "All models on one scale (Bradley-Terry), rated against {anchor}",
        "所有模型在同一尺度上（Bradley-Terry），以 {anchor} 为基准",
    ),
    "even_slots": (
        "Ratings take out what the first place gives: they say how often a reply wins that is as "
        "often shown first as second. The matches above count judgments as they are.",
        "评级已扣除展示先后的影响，即先后次数相同时的胜率；上方对战则按原评判计数。",
    ),
    "win_rate_against": ("Wins over {anchor}", "对 {anchor} 的胜率"),
    "rating": ("Rating", "评级分"),
    "the_anchor": ("the anchor", "基准"),
    "no_ratings": ("No ratings", "没有评级"),
    "circle": (
        "Each beat the next, and the last the first",
        "依次胜过下一个，最后一个又胜过第一个",
    ),
}
