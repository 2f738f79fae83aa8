"""Where every_eval_ever 0.3.0 keeps what a Result says, for the way out and the way in alike.

Called by `every_eval_ever` and `every_eval_ever_export`. What the schema has no field for stands in
its free maps of texts under keys that start with "bench.":

    model_info.additional_details["bench.stage"]    "ppo_ptx"
"""

from bench.reporting.results.schema import MEASURES

SCHEMA_VERSION = "0.3.0"
PREFIX = "bench."
MEASURE = f"{PREFIX}measure."

# Fields of a Result that are texts there and texts here, by the map that holds them.
MODEL_TEXTS = ("revision", "stage", "family", "size", "recipe", "licence")
TASK_TEXTS = ("name", "digest", "prompts_digest", "kind", "language", "variant", "title", "source")
# What the schema keeps as a number and we do too; `metric_parameters` may hold any.
METRIC_NUMBERS = ("chance", "rope", "margin")

_MODEL = tuple(f"{PREFIX}{name}" for name in (*MODEL_TEXTS, "parameters", "parents"))
_TASK = tuple(f"{PREFIX}{name}" for name in (*TASK_TEXTS, "version"))
_RUN = tuple(
    f"{PREFIX}{name}"
    for name in ("scorer", "seconds", "environment", "git", "notes", "asked", "aggregates", "tool")
)
_ITEM = (
    *(f"{PREFIX}{name}" for name in ("id", "digest", "cluster", "sample")),
    *(f"{MEASURE}{name}" for name in MEASURES),
)

# Key paths of the aggregate file that the importer reads, or works out anew from the items.
READ_AGGREGATE = frozenset(
    {
        "schema_version", "evaluation_id", "evaluation_timestamp", "retrieved_timestamp",
        "source_metadata.source_type", "source_metadata.source_organization_name",
        "source_metadata.evaluator_relationship", "eval_library.name", "eval_library.version",
        "model_info.name", "model_info.id", "model_info.developer",
        "model_info.additional_details.deployment_type",
        "model_info.additional_details.model_availability",
        "evaluation_results.evaluation_result_id", "evaluation_results.evaluation_name",
        "evaluation_results.source_data.dataset_name", "evaluation_results.source_data.source_type",
        "evaluation_results.source_data.hf_repo", "evaluation_results.source_data.url",
        "evaluation_results.metric_config.metric_id",
        "evaluation_results.metric_config.metric_name",
        "evaluation_results.metric_config.metric_unit",
        "evaluation_results.metric_config.lower_is_better",
        "evaluation_results.metric_config.score_type",
        "evaluation_results.metric_config.min_score", "evaluation_results.metric_config.max_score",
        "evaluation_results.score_details.score", "evaluation_results.score_details.uncertainty",
        "evaluation_results.generation_config.generation_args.temperature",
        "evaluation_results.generation_config.generation_args.top_p",
        "evaluation_results.generation_config.generation_args.max_tokens",
        "evaluation_results.generation_config.generation_args.execution_command",
        f"evaluation_results.generation_config.additional_details.{PREFIX}settings",
        "detailed_evaluation_results",
        *(f"evaluation_results.metric_config.metric_parameters.{name}" for name in METRIC_NUMBERS),
        *(f"model_info.additional_details.{name}" for name in _MODEL),
        *(f"evaluation_results.source_data.additional_details.{name}" for name in _TASK),
        *(f"source_metadata.additional_details.{name}" for name in _RUN),
    }
)  # fmt: skip
# The same for a line of the file of samples.
READ_SAMPLE = frozenset(
    {
        "schema_version", "evaluation_id", "model_id", "evaluation_name", "evaluation_result_id",
        "sample_id", "sample_hash", "interaction_type", "evaluation.score",
        "evaluation.is_correct", "token_usage.output_tokens", "error", "metadata.cluster",
        *(f"metadata.{name}" for name in _ITEM),
    }
)  # fmt: skip
