"""Choice tasks: which choice the log-likelihoods prefer, and with what probability.

The normalisations are those of Brown et al. 2020 (arXiv 2005.14165, section 2.4: per token, and
against the unconditional probability) and of lm-evaluation-harness (per character, per byte).
"""

import math

from bench.types import Example, Normalise, Reply


def comparable(example: Example, reply: Reply, rule: Normalise) -> tuple[float, ...]:
    """The values whose maximum is the prediction: log-likelihoods in nats, normalised by `rule`."""
    lengths = {
        "none": [1] * len(reply.logprobs),
        "char": [len(choice) for choice in example.choices],
        "byte": [len(choice.encode()) for choice in example.choices],
        "token": list(reply.token_counts),
    }
    if rule == "pmi":
        pairs = zip(reply.logprobs, reply.baseline, strict=True)
        return tuple(given - alone for given, alone in pairs)
    pairs_ = zip(reply.logprobs, lengths[rule], strict=True)
    return tuple(total / length for total, length in pairs_)


def predicted(example: Example, reply: Reply, rule: Normalise) -> int | None:
    """Position of the preferred choice (the first of equals); None when nothing was scored.

    Raises:
        ValueError: a log-likelihood is not a number, as half precision makes them on overflow.
    """
    if not reply.logprobs:
        return None
    values = comparable(example, reply, rule)
    if any(map(math.isnan, values)) or max(reply.logprobs) == -math.inf:
        raise ValueError(f"no preference among the log-likelihoods {reply.logprobs}")
    return values.index(max(values))


def probabilities(reply: Reply) -> tuple[float, ...]:
    """Softmax over the unnormalised log-likelihoods: the model's own distribution over choices."""
    if not reply.logprobs:
        return ()
    top = max(reply.logprobs)
    weights = [math.exp(value - top) for value in reply.logprobs]
    return tuple(weight / sum(weights) for weight in weights)


def label(text: str) -> str:
    """A generated label without case, quotes, asterisks and a full stop around it."""
    return text.strip().strip(".。\"'*").strip().casefold()


def accuracy(example: Example, reply: Reply) -> float:
    """1 if the preferred choice is right; for generated text, if it names a right choice."""
    if example.generation is not None:
        said = label(reply.text or "")
        return float(bool(said) and said in {label(answer) for answer in example.answers})
    return _accuracy(example, reply, example.normalise)


def accuracy_none(example: Example, reply: Reply) -> float:
    """Accuracy by plain log-likelihood (lm-eval's acc)."""
    return _accuracy(example, reply, "none")


def accuracy_char(example: Example, reply: Reply) -> float:
    """Accuracy by log-likelihood per character (lm-eval's acc_norm)."""
    return _accuracy(example, reply, "char")


def accuracy_byte(example: Example, reply: Reply) -> float:
    """Accuracy by log-likelihood per UTF-8 byte (lm-eval's acc_bytes)."""
    return _accuracy(example, reply, "byte")


def accuracy_token(example: Example, reply: Reply) -> float:
    """Accuracy by log-likelihood per token."""
    return _accuracy(example, reply, "token")


def accuracy_pmi(example: Example, reply: Reply) -> float:
    """Accuracy by pointwise mutual information (lm-eval's acc_mutual_info)."""
    return _accuracy(example, reply, "pmi")


def _accuracy(example: Example, reply: Reply, rule: Normalise) -> float:
    return float(predicted(example, reply, rule) in example.right)
