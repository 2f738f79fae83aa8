"""Every statistical method that a board can use: formula, paper, and what it is for.

Shown by `bench.reporting.site.methods_page`, which keeps to those that the board at hand used.

>>> METHODS["wilson"].paper
'Wilson 1927, JASA 22:209; Brown, Cai & DasGupta 2001, Stat. Sci. 16:101'
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Method:
    """`told` says what it is for in English and in Chinese."""

    formula: str
    paper: str
    told: tuple[str, str]


METHODS: Mapping[str, Method] = {
    "wilson": Method(
        "(p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)",
        "Wilson 1927, JASA 22:209; Brown, Cai & DasGupta 2001, Stat. Sci. 16:101",
        (
            "Interval of a proportion: zeros and ones of independent items.",
            "比例的区间：题目相互独立、得分为 0 或 1。",
        ),
    ),
    "wilson_clustered": Method(
        "Wilson's interval at n / design effect items",
        "Korn & Graubard 1998, Survey Methodology 24:193",
        (
            "The same at the effective number of items, where items share clusters or Student's t "
            "would leave the scale.",
            "题目成组，或 t 区间会超出量程时，以有效题数计算的 Wilson 区间。",
        ),
    ),
    "t": Method(
        "mean ± t(n−1) · s / √n",
        "Student 1908, Biometrika 6:1",
        ("Interval of a mean or of a paired difference.", "均值或配对差值的区间。"),
    ),
    "t_clustered": Method(
        "SE = √(G/(G−1) · Σ_g (Σ_{i∈g} e_i)²) / n, t with G−1 degrees of freedom",
        "Liang & Zeger 1986, Biometrika 73:13 (CR1); Cameron & Miller 2015, J. Hum. Res. 50:317",
        (
            "The same with a standard error that is robust to clusters: items that share a "
            "passage, a template or a question are not independent.",
            "使用对成组稳健的标准误：共用文章、模板或问题的题目并不独立。",
        ),
    ),
    "log_t": Method(
        "end + (mean − end) · exp(± t(n−1) · SE / |mean − end|)",
        "Casella & Berger 2002, Statistical Inference, sec. 5.5.4 (delta method)",
        (
            "Interval of a mean on a scale with one end, where Student's t would pass that end.",
            "量程只有一端有界、t 区间会越过该端时，均值的区间。",
        ),
    ),
    "log_t_clustered": Method(
        "the same with the CR1 standard error, t with G−1 degrees of freedom",
        "Liang & Zeger 1986, Biometrika 73:13 (CR1)",
        ("The same where items share clusters.", "题目成组时的同类区间。"),
    ),
    "newcombe10": Method(
        "Wilson limits of both proportions, joined by their correlation φ (method 10)",
        "Newcombe 1998, Stat. Med. 17:2635",
        (
            "Interval of a paired difference of zeros and ones, fewer than 200 independent items.",
            "独立题目少于 200 且得分为 0 或 1 时，配对差值的区间。",
        ),
    ),
    "equal": Method(
        "1 − (α/2)^(1/G) of the scale",
        "Clopper & Pearson 1934, Biometrika 26:404",
        (
            "Interval of a difference that was the same on every item: what the items leave open "
            "about differences that were not seen.",
            "每题差值都相同时的区间：题目未能排除的、未曾出现的差别。",
        ),
    ),
    "dersimonian_laird": Method(
        "w_k = 1/(se_k² + τ²), τ² = max(0, (Q − (K−1)) / C)",
        "DerSimonian & Laird 1986, Controlled Clinical Trials 7:177",
        (
            "All tasks in one number: the mean of the distribution of true differences.",
            "把所有任务合成一个数：真实差值所来自的分布的均值。",
        ),
    ),
    "normal_normal": Method(
        "d_k ~ N(θ_k, se_k²), θ_k ~ N(μ, τ²), τ ~ half-normal(0.1)",
        "Gelman 2006, Bayesian Analysis 1:515",
        (
            "The same for fewer than five tasks, which do not tell how much tasks differ.",
            "任务少于五项、无从得知任务间差异时所用的同类方法。",
        ),
    ),
    "max_t": Method(
        "critical value: the 95% point of max |t| over all pairs of models, by draws",
        "Mogstad, Romano, Shaikh & Wilhelm 2024, Rev. Econ. Stud. 91:476; Piepho 2004, JCGS 13:456",
        (
            "Rank sets that hold for all models at once, and the letters of models that are not "
            "told apart.",
            "对所有模型同时成立的名次区间，以及表示彼此不可分辨的字母。",
        ),
    ),
    "verdict": Method(
        "better, worse: interval and Holm's p exclude 0; equivalent: interval within [−rope, rope]",
        "after Kruschke 2018, Adv. Meth. Pract. Psych. Sci. 1:270 (interval against ROPE)",
        (
            "The verdict on a task, with a region in which differences do not matter (ROPE).",
            "任务的结论，带有一个差别可忽略的区间（ROPE）。",
        ),
    ),
    "holm": Method(
        "p_(i) → max_{j≤i} min(1, (m − j + 1) p_(j))",
        "Holm 1979, Scand. J. Stat. 6:65",
        (
            "P-values adjusted for all tasks of a comparison; further metrics are adjusted among "
            "themselves (Benjamini & Hochberg 1995), wordings too (Holm).",
            "按一次对比的全部任务校正的 p 值；其他指标之间用 Benjamini-Hochberg，措辞之间用 Holm。",
        ),
    ),
    "mcnemar": Method(
        "mid-p of Binomial(b + c, ½)",
        "McNemar 1947, Psychometrika 12:153; Fagerland, Lydersen & Laake 2013, BMC MRM 13:91",
        (
            "Raw p-values of zeros and ones; other scores have those of Student's t, and fewer "
            "than 20 clusters those of the wild cluster bootstrap (Cameron, Gelbach & Miller "
            "2008).",
            "0/1 得分的原始 p 值；其他得分用 t 检验，少于 20 组时用野生聚类自助法"
            "（Cameron, Gelbach & Miller 2008）。",
        ),
    ),
    "tax": Method(
        "no tax: lower bound > −margin; tax: upper bound and Holm's p exclude 0; else undetermined",
        "Piaggio et al. 2012, JAMA 308:2594 (non-inferiority by the interval)",
        (
            "The alignment tax as a claim that is tested: a drop that was not found is not the "
            "absence of one.",
            "把对齐税作为可检验的论断：没有发现下降不等于没有下降。",
        ),
    ),
    "mde": Method(
        "(z_{α/2m} + z_β) · sd(d) · √(deff / n), power 0.8, m tasks",
        "Cohen 1988, Statistical Power Analysis, ch. 2",
        (
            "The smallest true difference that so many items find four times in five, at the "
            "first step of Holm's adjustment (MDE).",
            "在 Holm 校正的第一步，这么多题目五次中有四次能发现的最小真实差别（MDE）。",
        ),
    ),
    "chance": Method(
        "(score − chance) / (best − chance)",
        "Fourrier et al. 2024, Open LLM Leaderboard v2 (scores above the random baseline)",
        (
            "Scores are put on one scale, guessing 0 and perfect 1, before tasks are pooled.",
            "合并任务之前把得分换算到同一尺度：随机猜测为 0，满分为 1。",
        ),
    ),
    "hybrid": Method(
        "quantile-unbiased given who won, within the simultaneous interval",
        "Andrews, Kitagawa & McCloskey 2024, QJE 139:305",
        (
            "The best of several models, corrected for having been chosen by the same scores.",
            "多个模型中的最佳者，就其因同一组得分入选作校正。",
        ),
    ),
    "replicates": Method(
        "Var = Var_items / n + E[Var_samples] / (n K)",
        "Miller 2024 (arXiv:2411.00640), sec. 3.1",
        (
            "Which part of an error more samples of the same items would take away.",
            "对同样题目采更多样本能消除误差中的哪一部分。",
        ),
    ),
    "equal_length": Method(
        "intercept of Δscore on tanh(Δlength / sd), least squares, CR1 error",
        "after Dubois et al. 2024, COLM (arXiv:2404.04475)",
        (
            "What is left of a difference where both replies are equally long.",
            "双方回答一样长时剩下的差值。",
        ),
    ),
    "ece": Method(
        "Σ_b n_b/n · |accuracy_b − confidence_b|, child minus parent, clusters drawn whole",
        "Guo et al. 2017, ICML (arXiv:1706.04599); Efron 1979, Ann. Stat. 7:1",
        (
            "Change of the calibration error, with an interval from a paired cluster bootstrap.",
            "校准误差的变化，区间来自成对的成组自助法。",
        ),
    ),
    "logit_t": Method(
        "logit(p) ± t(G−1) · SE / (p (1 − p)), back from log-odds",
        "Agresti 2013, Categorical Data Analysis, sec. 3.1 (delta method)",
        (
            "Interval of a win rate, whose error is clustered by prompt and by judge.",
            "胜率的区间，误差按提示词和评审成组。",
        ),
    ),
    "bradley_terry": Method(
        "P(i beats j) = 1 / (1 + exp(θ_j − θ_i − γ·s)), s = ±1 for i shown first or second, "
        "0 unless all judgments say which; draws as half a win, sandwich error",
        "Bradley & Terry 1952, Biometrika 39:324; Cameron, Gelbach & Miller 2011, JBES 29:238",
        (
            "All judged models on one scale; 400 points of rating are odds of ten to one, 1000 is "
            "the mean of the models.",
            "所有被评模型在同一尺度上；评级分每差 400 分胜负比为十比一，1000 为各模型的平均。",
        ),
    ),
    "length_controlled": Method(
        "logistic regression of the preference on tanh(Δlength / sd), read off at Δlength = 0",
        "Dubois et al. 2024, COLM (arXiv:2404.04475), with the delta-method error of the estimate",
        (
            "Win rate at equal length; not known where equal length hardly ever happens.",
            "等长时的胜率；双方几乎从不等长时无法得知。",
        ),
    ),
    "krippendorff": Method(
        "α = 1 − observed / expected disagreement, replies drawn with replacement",
        "Krippendorff 2011, Computing Krippendorff's Alpha-Reliability",
        ("Whether judges agree beyond chance.", "评审之间的一致是否超出随机。"),
    ),
    "slot": Method(
        "exact binomial test of 1/2 on decided judgments, Wilson's interval",
        "Wang et al. 2024, ACL (arXiv:2305.17926)",
        ("Whether judges favour the reply that they see first.", "评审是否偏向先看到的回答。"),
    ),
    "fragile": Method(
        "Δ in each wording; pooled with questions as clusters",
        "Sclar et al. 2024, ICLR (arXiv:2310.11324)",
        (
            "A difference of opposite sign under two wordings, or significant under one and not "
            "under another from which it differs (Hotelling's test).",
            "在两种措辞下方向相反，或在一种措辞下显著而在与之有差异的另一种下不显著的差值。",
        ),
    ),
}
# What every comparison uses, whatever its scores.
ALWAYS = ("verdict", "holm", "mcnemar", "tax", "mde", "chance")
