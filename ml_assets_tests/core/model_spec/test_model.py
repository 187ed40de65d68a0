"""The specification refuses what is unknown or contradictory, naming the field and the reason."""

import re
import sys
from datetime import timedelta

import pytest
from pydantic import ValidationError

from ml_assets.core.model_spec import ModelSpec
from ml_assets.core.model_spec.file_feed import labels_feed, rows_feed
from ml_assets.core.model_spec.types.durations import format_duration, parse_duration

OF_TARGET = {"kind": "window", "key": "card", "value": "label", "aggregates": ["mean"], "windows": ["1d"]}


def change(attributes: dict, path: str, value: object) -> dict:
    """Set a dotted path; numbers are positions in a list."""
    *parents, last = path.split(".")
    part = attributes
    for parent in parents:
        part = part[int(parent)] if parent.isdigit() else part.setdefault(parent, {})
    part[int(last) if last.isdigit() else last] = value
    return attributes


def test_a_valid_specification_is_accepted_and_frozen(small):
    spec = ModelSpec.model_validate(small)
    assert spec.feature_names() == ["amount", "count_by_card_1d", "amount_mean_by_card_1d"]
    with pytest.raises(ValidationError):
        spec.name = "other"


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("colour", "red", "Extra inputs are not permitted"),
        ("training.parameters.booster", "dart", "Extra inputs are not permitted"),
        ("name", "Not A Name", "pattern"),
        ("source.files", "files/*.csv", "must contain {day}"),
        ("source.files", "../{day}.csv", "stay inside"),
        ("source.files", "{day:%Y/%m}/x.csv", "%Y, %m and %d"),
        ("source.files", "{day}/x.txt", "no file of a known format .* .parquet, .csv, .jsonl, .csv.gz, .jsonl.gz"),
        ("source.files", "{day}/*.zip", "no file of a known format"),
        ("source.files", "{day}", "no file of a known format"),
        ("source.files", "{day:%Y/%m/%d}", "no file of a known format"),
        ("source.files", "{day}/", "no file of a known format"),
        ("source.time_zone", "Mars/Olympus", "not an IANA time zone"),
        ("source.end", "2024-12-31", "before start"),
        ("columns.amount.maximum", -1, "above maximum"),
        ("columns.card.minimum", 1, "not for string"),
        ("columns.amount.pattern", "x", "pattern is for string"),
        ("columns.card.pattern", "(", "not a regular expression"),
        ("columns.score", {"type": "number"}, "taken by the pipeline"),
        ("columns.event_day", {"type": "number"}, "event_day, score, decision, model_version, side, reasons are taken"),
        ("columns.Day", {"type": "number"}, "taken by the pipeline"),
        ("columns.Amount", {"type": "number"}, "columns: amount stands there in upper and lower case"),
        (
            "columns.card.allowed",
            ["a", True],
            "True is of type boolean, but the column is of type string; YAML reads yes, no",
        ),
        ("columns.card.allowed", [1], "1 is of type integer, but the column is of type string"),
        ("columns.id.allowed", [True], "True is of type boolean, but the column is of type integer"),
        ("columns.id.allowed", [1.5], "1.5 is of type number, but the column is of type integer"),
        ("columns.id.allowed", ["1"], "'1' is of type string, but the column is of type integer"),
        ("columns.amount.allowed", ["1"], "'1' is of type string, but the column is of type number"),
        ("columns.amount.allowed", [True], "True is of type boolean, but the column is of type number"),
        (
            "columns.label",
            {"type": "boolean", "allowed": [0, 1]},
            "0 is of type integer, but the column is of type boolean",
        ),
        ("columns.label.allowed", [False, True], "False is of type boolean, but the column is of type integer"),
        ("columns.event_time.allowed", ["2025-01-01"], "not for timestamp"),
        ("columns.again", {"type": "number", "source": "amount"}, "source of more than one column"),
        ("columns.id.nullable", True, "nullable"),
        ("row_key", ["id", "id"], "row_key: id stands there more than once"),
        ("evaluation.slices", ["card", "card"], "evaluation.slices: card stands there more than once"),
        ("row_key", ["nothing"], "there is no column nothing"),
        ("event_time", "amount", "must be a timestamp"),
        ("target", "amount", "must be boolean, or integer with allowed"),
        ("entity", "nobody", "there is no column nobody"),
        ("label_delay", "36h", "whole number of days"),
        ("label_delay", "a week", "not a duration"),
        ("label_delay", "7d\n", "not a duration"),
        ("label_delay", "99999999999d", "99999999999d is too long; the longest duration is 36500d"),
        ("label_delay", "36501d", "too long"),
        ("owners", ["team:fraud", "somebody"], "'somebody' is neither an e-mail address nor a team"),
        ("owners", ["team:"], "neither an e-mail address nor a team"),
        ("quality.max_bad_share", 2, "less than or equal to 1"),
        ("quality", {"min_rows": 5, "max_rows": 2}, "below min_rows"),
        ("features.0.columns", ["label"], "would leak the label"),
        ("features.0.columns", ["card"], "is a string"),
        ("features.1.key", "label", "leak the label"),
        ("features.1", {**OF_TARGET, "delay": "1d"}, "need delay of at least the label_delay 2d"),
        ("features.1", OF_TARGET, "would contain the row's own label"),
        ("features.1.value", "card", "cannot be aggregated"),
        ("features.1.windows", [], "give windows"),
        ("features.1.last_rows", [3], "belong together"),
        ("features.1.value", None, "value is missing"),
        ("features.0.kind", "magic", "magic"),
        ("features.0", {"kind": "column", "columns": ["amount", "amount"]}, "made more than once"),
        ("columns.amount_Mean_by_card_1d", {"type": "number"}, "which is the name of a column"),
        ("features.0", {"kind": "custom", "function": "math:sin", "outputs": ["x", "X"]}, "x is made more than once"),
        ("features.0", {"kind": "custom", "function": "math:sin", "outputs": ["event_day"]}, "it makes event_day"),
        (
            "features.0",
            {"kind": "custom", "function": "nowhere.at_all:f", "outputs": ["x"]},
            "the module nowhere was not found",
        ),
        (
            "features.0",
            {"kind": "custom", "function": "ml_assets.nowhere:f", "outputs": ["x"]},
            "the module ml_assets.nowhere was not found",
        ),
        (
            "features.0",
            {"kind": "custom", "function": "json.decoder.deep:f", "outputs": ["x"]},
            "the module json.decoder.deep was not found",
        ),
        ("training.validation", "4d", "shorter than window"),
        ("training.search", {"space": {}}, "name at least one parameter"),
        (
            "training.search",
            {"space": {"depth": {"low": 1, "high": 2}}},
            "search.space.depth: there is no such parameter; the parameters are eta",
        ),
        (
            "training.search",
            {"space": {"eta": {"low": 0.1, "high": 2}}},
            "search.space.eta: 2: Input should be less than or equal to 1",
        ),
        (
            "training.search",
            {"space": {"max_depth": {"low": 1.5, "high": 2}}},
            "search.space.max_depth: 1.5: Input should be a valid integer",
        ),
        (
            "training.search",
            {"space": {"eta": {"low": 0.5, "high": 0.5}}},
            "low 0.5 must be below high 0.5; fix a parameter in training.parameters",
        ),
        ("training.search", {"space": {"gamma": {"low": 0, "high": 1, "log": True}}}, "log needs a low above 0"),
        ("training.search", {"space": {"eta": {"values": [0.1, 0.1]}}}, "has a value more than once"),
        ("training.search", {"folds": 4}, "search.folds: 4 folds that validate on 1d each leave no day of the window"),
        ("training.search", {"trials": 0}, "greater than or equal to 1"),
        ("training.search", {"minutes": 0}, "greater than 0"),
        ("training.search", {"every": "12h"}, "not a whole number of days"),
        ("training.threshold", {"rule": "min_precision"}, "needs a value"),
        ("training.threshold", {"rule": "max_f1", "value": 0.3}, "takes no value"),
        ("training.preprocessing", {"scale": {"nothing": "standard"}}, "nothing is not one of"),
        ("training.preprocessing", {"encode": {"amount": "onehot"}}, "amount is not one of"),
        ("evaluation.slices", ["nothing"], "there is no column nothing"),
        ("gates", {}, "at least 1 item"),
        ("gates", {"accuracy": {"minimum": 0.9}}, "accuracy"),
        ("gates", {"roc_auc": {}}, "give minimum, maximum or both"),
        ("gates", {"roc_auc": {"minimum": 0.9, "maximum": 0.1}}, "nothing passes"),
        ("gates", {"roc_auc": {"minimum": 1.5}}, "roc_auc: minimum 1.5 is not within 0 to 1"),
        ("gates", {"brier_score": {"maximum": -0.1}}, "brier_score: maximum -0.1 is not within 0 to 1"),
        ("gates", {"roc_auc": {"minimum": float("nan")}}, "finite number"),
        ("gates", {"log_loss": {"maximum": float("inf")}}, "finite number"),
        ("gates", {"recall": {"slice_minimum": 0.5}}, "give minimum, maximum or both"),
        (
            "gates",
            {"recall": {"minimum": 0, "slice_minimum": 0.5}},
            "gates.recall: slice_minimum and slice_maximum need evaluation.slices",
        ),
        (
            "gates",
            {"recall": {"minimum": 0, "slice_minimum": 0.5, "slice_maximum": 0.4}},
            "above slice_maximum 0.4: nothing passes",
        ),
        ("gates", {"recall": {"minimum": 0, "slice_maximum": 1.1}}, "recall: slice_maximum 1.1 is not within 0 to 1"),
        ("champion", {"metric": "calibration_ratio"}, "champion.metric"),
        ("champion", {"margin": -0.1}, "greater than or equal to 0"),
        ("evaluation.slice_min_positives", 0, "greater than or equal to 1"),
        ("compute.memory", "lots", "pattern"),
        ("backfill.days_per_run", 0, "greater than or equal to 1"),
        ("retention", {"replaced_files": "12h"}, "not a whole number of days"),
        ("retention", {"days": "100d"}, "retention.replaced_files is missing"),
        ("retention", {"models": "100d"}, "retention.replaced_files is missing"),
        # Twice the label delay of 2, the holdout of 2, the window of 4, and the day before that features see.
        (
            "retention",
            {"replaced_files": "7d", "days": "10d"},
            "10d is too short: a model made today reads 11d back .* 1d that its features see",
        ),
        (
            "retention",
            {"replaced_files": "7d", "days": "31d"},
            "31d is too short: it must be longer than sensor.look_back, 30d, and the 1d that",
        ),
    ],
)
def test_a_wrong_specification_is_refused_with_the_reason(small, path, value, reason):
    with pytest.raises(ValidationError, match=reason.replace("(", r"\(").replace("{", r"\{")):
        ModelSpec.model_validate(change(small, path, value))


def test_bounds_of_slices_are_for_metrics_that_slices_have(small):
    change(small, "evaluation.slices", ["card"])
    assert (
        ModelSpec.model_validate(change(small, "gates", {"recall": {"minimum": 0, "slice_minimum": 0.5}}))
        .gates["recall"]
        .of_slices()
    )
    with pytest.raises(ValidationError, match="precision_at_k, which is not measured on slices"):
        ModelSpec.model_validate(change(small, "gates", {"precision_at_k": {"minimum": 0, "slice_minimum": 0.5}}))


def test_calibration_is_a_gate_and_the_ratio_may_exceed_one(small):
    change(
        small, "gates", {"calibration_ratio": {"minimum": 0.8, "maximum": 1.25}, "calibration_error": {"maximum": 0.05}}
    )
    assert ModelSpec.model_validate(small).gates["calibration_ratio"].maximum == 1.25


def test_what_needs_an_entity_says_so(small):
    del small["entity"]
    ModelSpec.model_validate(small)
    with pytest.raises(ValidationError, match="entity is missing"):
        ModelSpec.model_validate(change(small, "evaluation.exclude_known_positives", True))


def test_an_aggregate_of_the_target_may_use_what_is_known(small):
    known = {
        "kind": "window",
        "key": "card",
        "value": "label",
        "aggregates": ["mean"],
        "windows": ["1d"],
        "delay": "2d",
    }
    spec = ModelSpec.model_validate(change(small, "features.1", known))
    assert spec.feature_names()[-1] == "label_mean_by_card_1d_delay_2d"
    assert spec.longest_reach() == timedelta(days=3)


def test_the_row_s_own_label_may_not_be_compared_with_its_window(small):
    own = {"kind": "window", "key": "card", "value": "label", "aggregates": ["ratio"], "windows": ["1d"], "delay": "2d"}
    with pytest.raises(ValidationError, match="row's own value"):
        ModelSpec.model_validate(change(small, "features.1", own))


def test_an_aggregate_of_the_target_needs_a_delay_even_where_labels_are_known_at_once(small):
    small["label_delay"] = "0d"
    with pytest.raises(ValidationError, match="would contain the row's own label"):
        ModelSpec.model_validate(change(small, "features.1", OF_TARGET))
    ModelSpec.model_validate(change(small, "features.1", {**OF_TARGET, "delay": "1h"}))


@pytest.mark.parametrize(
    ("type_", "allowed"),
    [
        ("integer", [0, 1]),
        ("number", [1, 2.5]),
        ("string", ["a", "1"]),
        ("boolean", [True, False]),
        ("string", ["yes"]),
    ],
)
def test_allowed_values_keep_their_types(small, type_, allowed):
    column = ModelSpec.model_validate(change(small, "columns.extra", {"type": type_, "allowed": allowed})).columns[
        "extra"
    ]
    for read in (column, type(column).model_validate_json(column.model_dump_json())):
        assert [(value, type(value)) for value in read.allowed] == [(value, type(value)) for value in allowed]


@pytest.mark.parametrize(
    "files",
    [
        "{day}/*",
        "{day}.*",
        "{day}/*.csv",
        "x_{day}.CSV",
        "{day}/*.jsonl.gz",
        "{day:%Y/%m/%d}/part-?.parquet",
        "{day}/*.???",
        "{day:%Y%m%d.csv}",
        "{day}.csv*",
    ],
)
def test_file_patterns_that_can_match_a_known_format_are_accepted(small, files):
    assert ModelSpec.model_validate(change(small, "source.files", files)).source.files == files


@pytest.mark.parametrize(
    "cron", ["0 2 * * *", "*/15 6-22/2 1,15 jan-mar mon-fri", "5 4 * * 7", "0 0 * * fri-mon", "@daily", "0 0 31 * SUN"]
)
def test_cron_expressions_are_accepted(small, cron):
    assert ModelSpec.model_validate(change(small, "schedule.cron", cron)).schedule.cron == cron


@pytest.mark.parametrize(
    ("cron", "reason"),
    [
        ("daily", "write minute, hour"),
        ("0 2 * *", "write minute, hour"),
        ("0 2 * * * *", "write minute, hour"),
        ("@reboot", "write minute, hour"),
        ("60 * * * *", "'60' as minute is not"),
        ("0 24 * * *", "'24' as hour"),
        ("0 0 0 * *", "'0' as day of the month"),
        ("0 0 * 13 *", "'13' as month"),
        ("0 0 * mon *", "'mon' as month"),
        ("0 0 * * 8", "'8' as day of the week"),
        ("*/0 * * * *", "as minute"),
        ("1,,2 * * * *", "'' as minute"),
        ("1-70 * * * *", "'1-70' as minute"),
        ("0 0 30 feb *", "February has no day 30"),
    ],
)
def test_wrong_cron_expressions_name_their_field(small, cron, reason):
    with pytest.raises(ValidationError, match=reason) as caught:
        ModelSpec.model_validate(change(small, "schedule.cron", cron))
    assert caught.value.errors()[0]["loc"] == ("schedule", "cron")


def test_owners_are_addresses_or_teams(small):
    owners = ["team:fraud", "first.last+tag@example.co.uk"]
    assert ModelSpec.model_validate(change(small, "owners", owners)).owners == owners


def test_the_module_of_a_custom_function_is_found_but_not_imported(small):
    sys.modules.pop("wsgiref", None)
    ModelSpec.model_validate(
        change(small, "features.0", {"kind": "custom", "function": "wsgiref.validate:validator", "outputs": ["x"]})
    )
    assert "wsgiref" not in sys.modules


@pytest.mark.parametrize("text", ["7d", "36h", "90m"])
def test_durations_are_written_as_they_are_read(text):
    assert format_duration(parse_duration(text)) == text


LABELS = {"files": "labels/{day}/*", "key": ["id"]}


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ({**LABELS, "files": "labels.csv"}, "must contain {day}"),
        ({**LABELS, "key": []}, "at least 1 item"),
        ({**LABELS, "key": ["nobody"]}, "labels.key: there is no column nobody; the columns are id, event_time"),
        ({**LABELS, "key": ["id", "id"]}, "labels.key: id stands there more than once"),
        ({**LABELS, "key": ["label"]}, "labels.key: label is the target"),
        ({**LABELS, "key": ["note"]}, "labels.key: note is nullable"),
        ({**LABELS, "label": "id"}, "labels: id in the label files is the source of more than one column"),
        ({**LABELS, "label": "known_at"}, "labels: known_at in the label files is the source of more than one column"),
        ({**LABELS, "unlabelled": "positive"}, "'exclude' or 'negative'"),
    ],
)
def test_labels_that_cannot_belong_to_rows_are_refused(small, labels, reason):
    attributes = change(small, "columns.note", {"type": "string", "nullable": True})
    with pytest.raises(ValidationError, match=re.escape(reason)):
        ModelSpec.model_validate({**attributes, "labels": labels})


def test_the_name_of_the_column_that_says_when_a_label_became_known_is_taken(small):
    attributes = change(small, "columns.known_at", {"type": "timestamp"})
    with pytest.raises(ValidationError, match=r"columns.known_at: the table of labels needs this name"):
        ModelSpec.model_validate({**attributes, "labels": LABELS})


def test_files_of_rows_and_of_labels_hold_what_each_needs(small):
    spec = ModelSpec.model_validate({**small, "labels": {**LABELS, "label": "fraud", "known_at": "confirmed"}})
    rows, labels = rows_feed(spec), labels_feed(spec)
    assert list(rows.columns) == ["id", "event_time", "card", "amount"]
    assert labels is not None
    assert {name: column.source for name, column in labels.columns.items()} == {
        "id": None,
        "label": "fraud",
        "known_at": "confirmed",
    }
    assert (labels.row_key, labels.event_time, labels.source.files) == (["id", "known_at"], None, "labels/{day}/*")


def test_without_labels_of_their_own_the_rows_bring_the_target(small):
    spec = ModelSpec.model_validate(small)
    assert labels_feed(spec) is None
    assert "label" in rows_feed(spec).columns


def test_nothing_is_removed_unless_it_is_asked_for(small):
    assert not ModelSpec.model_validate(small).retention.removes
    small["retention"] = {"replaced_files": "30d", "days": "32d"}
    assert ModelSpec.model_validate(small).retention.removes


def test_days_may_be_as_few_as_a_model_reads(small):
    small |= {"retention": {"replaced_files": "1d", "days": "11d"}, "sensor": {"look_back": "9d"}}
    assert ModelSpec.model_validate(small).retention.days == timedelta(days=11)


def test_features_reach_a_day_further_where_clocks_change(small):
    assert ModelSpec.model_validate(small).reach_in_days() == 1
    small["source"]["time_zone"] = "Europe/Brussels"
    assert ModelSpec.model_validate(small).reach_in_days() == 2


@pytest.mark.parametrize(
    ("deadline", "longest"),
    [
        ("0 6 * * *", "24h"),
        ("0 6,9 * * mon", "3h"),
        ("*/20 6-8 * * *", "20m"),
        ("0 22-2 * * *", "1h"),
        ("@weekly", "24h"),
        ("0 6/12 * * *", "12h"),
    ],
)
def test_what_counts_for_a_deadline_reaches_no_further_back_than_the_deadline_before(small, deadline, longest):
    length = parse_duration(longest)
    assert (
        ModelSpec.model_validate(
            {**small, "freshness": {"deadline": deadline, "lower_bound": longest}}
        ).freshness.lower_bound
        == length
    )
    with pytest.raises(
        ValidationError,
        match=re.escape(f"is longer than the {format_duration(length)} between two deadlines of '{deadline}'"),
    ):
        ModelSpec.model_validate(
            {**small, "freshness": {"deadline": deadline, "lower_bound": length + timedelta(minutes=1)}}
        )


def test_a_wrong_deadline_names_its_field(small):
    with pytest.raises(ValidationError, match="'24' as hour") as caught:
        ModelSpec.model_validate({**small, "freshness": {"deadline": "0 24 * * *"}})
    assert caught.value.errors()[0]["loc"] == ("freshness", "deadline")


def test_the_key_of_labels_is_never_only_warned_about(small):
    small["columns"]["card"]["severity"] = {"missing": "warn"}
    ModelSpec.model_validate(small)
    small["labels"] = {"files": "labels/{day}/*", "key": ["card"]}
    with pytest.raises(ValidationError, match=r"columns\.card\.severity: the column is part of labels\.key"):
        ModelSpec.model_validate(small)


def test_a_column_that_has_no_check_cannot_block(small):
    small["columns"]["amount"]["blocking"] = True
    ModelSpec.model_validate(small)
    small["checks"] = {"contract": False}
    with pytest.raises(ValidationError, match=r"columns\.amount\.blocking: checks\.contract is false"):
        ModelSpec.model_validate(small)
