"""Every call of a StreamEM worker. Made of docs/openapi.json by ./build.sh accept: what is changed here is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from .connection import LINES, Connection, Records, part

if TYPE_CHECKING:
    from typing_extensions import NotRequired


class Accepted(TypedDict):
    """What will be done."""

    # What the worker does now.
    status: str


class AlarmSummary(TypedDict):
    """Where the alarms of a model stand."""

    # Raised, over the whole run.
    raised: int
    # Ended, over the whole run.
    cleared: int
    # Keys whose alarm lasts.
    active: int


class AxisAnswer(TypedDict):
    """An axis of a block."""

    # component, feature, coefficient, class, entry, row or index.
    of: str
    # What its places are called; nothing where they have no names.
    names: NotRequired[list[str] | None]


class BlockAnswer(TypedDict):
    """A block of parameters."""

    # Its name in the snapshot.
    name: str
    # Its extents, outermost first.
    shape: list[int]
    # real, positive, probability, simplex (along the last axis) or positive_definite (the last two).
    domain: str
    # What each axis is of.
    axes: list[AxisAnswer]


class CandidateSummary(TypedDict):
    """A model with another number of components that learns the same stream."""

    # Its number of components, or states.
    components: int
    # 1 for the best.
    rank: int
    # Test-then-train, nats per record.
    mean_log_likelihood: float
    # Records that is of.
    records: int


class ComparedBlock(TypedDict):
    """How much a block of parameters changed, over the components that both have."""

    # The largest change.
    largest: NotRequired[float | None]
    # The root of the mean of the squares.
    root_mean_square: NotRequired[float | None]


class ComparedComponent(TypedDict):
    """A component in two versions."""

    # Its id.
    id: str
    # Its share in the one.
    weight_a: NotRequired[float | None]
    # Its share in the other.
    weight_b: NotRequired[float | None]
    # The divergence of the component, exact; null where it is not known.
    kl: NotRequired[float | None]
    # The feature that moved most.
    feature: NotRequired[str | None]
    # By how many standard deviations.
    shift: NotRequired[float | None]
    # Its standard deviation became so many times as large.
    spread: NotRequired[float | None]


class ComparedVersion(TypedDict):
    """A version that is compared."""

    # Its model.
    model: str
    # Its run.
    run_id: str
    # The version.
    version: int
    # Records learned from.
    records: int


class ComponentAnswer(TypedDict):
    """A component."""

    # Its id.
    id: str
    # The label it was named after; nothing without.
    label: NotRequired[str | None]
    # ok, no_evidence, covariance_floored, reseeded, dead or quarantined.
    status: str
    # How much of the stream it accounts for.
    share: float
    ellipse: NotRequired[EllipseAnswer | None]


class ComponentsAnswer(TypedDict):
    """The components of a version."""

    # The model.
    model: str
    # Its run.
    run_id: str
    # The version.
    version: int
    # Its components; none of a model without.
    components: list[ComponentAnswer]


class Difference(TypedDict):
    """How two versions differ."""

    # The one.
    a: ComparedVersion
    # The other.
    b: ComparedVersion
    # Records drawn from each.
    draws: int
    # The divergence of B from A, nats per record.
    kl_a_b: Divergence
    # That of A from B.
    kl_b_a: Divergence
    # Components that B has not.
    only_a: list[str]
    # Components that A has not.
    only_b: list[str]
    # The components that both have.
    components: list[ComparedComponent]
    # How much each block changed.
    parameters: dict[str, ComparedBlock]


class Divergence(TypedDict):
    """A divergence by records that were drawn."""

    # Nats per record; null where it is infinite.
    value: NotRequired[float | None]
    # Its standard error.
    standard_error: NotRequired[float | None]
    # Records drawn that the other gives no probability to.
    impossible: NotRequired[int | None]


class Done(TypedDict):
    """What was done."""

    # The model.
    id: str
    # Where it stands, as in GET /v1/models.
    status: str
    # Its newest version, which the checkpoint holds.
    version: int
    # Records learned from.
    records: int
    # Whether it takes no records.
    paused: bool
    # The version that is served and published whatever is learned; nothing for the newest.
    pinned_version: NotRequired[int | None]
    # Whether it stood otherwise before.
    changed: bool


class EllipseAnswer(TypedDict):
    """Mean and covariance of two features under a component."""

    x: float
    y: float
    variance_x: float
    covariance: float
    variance_y: float


class EventSummary(TypedDict):
    """Something that happened to a component."""

    # born, died, reseeded or floored.
    event: str
    # The component's id; nothing for all of them.
    component: NotRequired[str | None]
    # With which version it began.
    version: int
    # The last version with it.
    until: int
    # In how many updates.
    count: int


class FeatureAnswer(TypedDict):
    """A column of the records."""

    # Its name.
    name: str
    # number, count, binary, non_negative, level or terms.
    kind: str
    # The levels, of a feature that has some.
    levels: NotRequired[list[str] | None]


class GroupWorker(TypedDict):
    """A worker of several that learn a model."""

    # Its name: its host's, and a digest of its state directory.
    worker: str
    # Where the brokers see it.
    host: str
    # The partitions that the group has given it.
    partitions: list[str]
    # Whether it folds the statistics of all.
    folds: bool


class KeyComponent(TypedDict):
    """One component of the mixture of a key, in the user's units."""

    # Its id among those of the key, which no other ever had.
    id: str
    # Its part of all records, in [0, 1].
    weight: float
    # Its mean [D].
    mean: list[float]
    # Standard deviation of every feature [D].
    standard_deviation: list[float]
    # `ok`, or `quarantined`.
    status: str


class KeyCounts(TypedDict):
    """How many keys there are that have a model of their own, and what these take."""

    # Keys there are.
    known: int
    # Those whose model is in memory.
    in_memory: int
    # Bytes of these models.
    bytes: int
    # Models that came back from disk since the start.
    returned: int
    # Bytes of the log of models.
    bytes_on_disk: int


class KeySummary(TypedDict):
    """What the mixture of one key has learned."""

    # `warming_up` until location and scale are found, `calibrating` until it has p-values, then `learning`.
    status: str
    # Records taken.
    records: int
    # Location of every feature [D]; empty while it warms up.
    location: list[float]
    # Scale of every feature [D]; empty while it warms up.
    scale: list[float]
    # Its components.
    components: list[KeyComponent]


class LayoutAnswer(TypedDict):
    """What a model's parameters are, for whoever draws them without knowing the model."""

    # The model.
    model: str
    # The version it was read from: a mixture that grows has other components later.
    version: int
    # The columns of a record.
    features: list[FeatureAnswer]
    # The blocks of parameters.
    blocks: list[BlockAnswer]


class ModelSummary(TypedDict):
    """One model of `GET /v1/models`."""

    # Its id.
    id: str
    # Its type in the catalogue.
    type: str
    # waiting, warming_up, learning, paused, finished, stopped or failed.
    status: str
    # The newest version; 0 before the first.
    version: int
    # The version that is served and published whatever is learned; nothing for the newest.
    pinned_version: NotRequired[int | None]
    # Updates so far.
    updates: int
    # Records learned from.
    records: int
    # Records taken and not learned from: without weight or value, impossible under the model, or held back.
    unlearned: int
    # Of these, records held back because they were too far from every component.
    bounded: int
    # Records taken and not learned from yet.
    records_pending: int
    # Records that could not be used, by reason.
    records_rejected: dict[str, int]
    # Records passed over since the start because `where` is not about them; nothing without.
    records_filtered: NotRequired[int | None]
    # Records used without their key or time, which could not be read, by field.
    fields_unread: dict[str, int]
    # Records that were gone before they were read; null where the source cannot tell.
    records_skipped: NotRequired[int | None]
    # Records in the source that were not read yet; null where the source cannot tell.
    source_lag: NotRequired[int | None]
    # Of the last minibatch before its update, nats per record.
    mean_log_likelihood: NotRequired[float | None]
    # The same over all records since the parameters began.
    running_mean_log_likelihood: NotRequired[float | None]
    # gamma of the last update.
    step_size: NotRequired[float | None]
    # n_eff: the number of records the parameters' precision is worth.
    effective_records: NotRequired[float | None]
    # Identity of the run.
    run_id: NotRequired[str | None]
    # When the newest version was made.
    updated_at: NotRequired[str]
    progress: NotRequired[WarmUp | None]
    alarms: NotRequired[AlarmSummary | None]
    scale_out: NotRequired[ScaleOutSummary | None]
    # Why it failed or is not ready.
    problem: NotRequired[str | None]
    # What a person should know.
    warnings: list[str]
    # What happened to components lately: born, died, reseeded, floored.
    events: list[EventSummary]
    # Models with other numbers of components that learn the same stream, the best first; nothing without.
    candidates: NotRequired[list[CandidateSummary] | None]


class ReadinessAnswer(TypedDict):
    """The answer of a readiness check."""

    # ok, finished when every source has ended and all of it is learned, or unavailable.
    status: str
    # Why it is unavailable.
    reasons: list[str]


class RecentAnswer(TypedDict):
    """Records taken lately."""

    # The model.
    model: str
    # The run of the version that they are scored under; nothing before the first.
    run_id: NotRequired[str | None]
    # That version.
    version: NotRequired[int | None]
    # sample, alarms or strangest.
    kind: str
    # One of so many records is in the sample.
    one_in: NotRequired[int | None]
    # The records.
    records: list[RecentRecord]


class RecentRecord(TypedDict):
    """A record taken lately: its score, and beside it the following."""

    # Its number among all that were taken.
    record: int
    # The partition it is from.
    partition: NotRequired[str | None]
    # Its place there.
    offset: NotRequired[int | None]
    # The logarithm of its density.
    log_density: NotRequired[float | None]
    # The share of records that are less strange.
    anomaly_score: NotRequired[float | None]
    # The share of records that are as strange or stranger.
    p_value: NotRequired[float | None]
    # Whether it was in alarm.
    alarm: NotRequired[bool | None]
    # raised or cleared, of a record that did so.
    alarm_event: NotRequired[str | None]
    # What it held.
    fields: dict[str, Any]


class RejectedInRequest(TypedDict):
    """One record of a request that cannot be used."""

    # Its number in the request, from 0.
    record: int
    # From the closed list.
    reason: str
    # What was found and expected.
    detail: str


class ReloadReport(TypedDict):
    """What became of reading the configuration again."""

    # Whether the worker runs as it says now; else it runs as before.
    succeeded: bool
    # Models that began.
    added: list[str]
    # Models that go on with other settings.
    changed: list[str]
    # Models that were stopped; their state is kept.
    removed: list[str]
    # Models that were not touched.
    unchanged: list[str]
    # Why it runs as before; null when it does not.
    problem: NotRequired[str | None]
    # Whether any model is another one now.
    has_changed: NotRequired[bool]


class ReplayAlarm(TypedDict):
    """An alarm."""

    # Which of the replayed records raised it, from 0.
    record: int
    # Its key; null without.
    key: NotRequired[str | None]
    # Its time; null without.
    timestamp: NotRequired[str]
    # Its p-value.
    p_value: float


class ReplayAlarms(TypedDict):
    """The alarms of a replay."""

    # How many were raised.
    raised: int
    # How many ended.
    cleared: int
    # How many last.
    active: int
    # The first of them.
    first: list[ReplayAlarm]


class ReplayCurve(TypedDict):
    """The log-likelihood over the records, in at most some hundred points, each the mean of the minibatches since
    the one before.
    """

    # Records replayed so far.
    records: list[int]
    # Test-then-train, nats per record.
    mean_log_likelihood: list[float]


class ReplayOutcome(TypedDict):
    """What replaying records under a configuration came to."""

    # Updates of the parameters.
    updates: int
    # Records that the mean is of: all but those that the first parameters were found in.
    records: int
    # Test-then-train, nats per record; null where no record could be used.
    mean_log_likelihood: NotRequired[float | None]
    # How it went.
    curve: ReplayCurve
    alarms: NotRequired[ReplayAlarms | None]
    # What it took.
    seconds: float


class ScaleOutSummary(TypedDict):
    """This worker's part in a model that several workers learn."""

    # Partitions of the source that it works on.
    partitions: int
    # Whether it folds the statistics of all.
    folds: bool
    staleness: NotRequired[StalenessSummary | None]


# What a model says of a record: docs/scores.md. One that cannot be used has an error instead.
Score = TypedDict(
    "Score",
    {
        # Its number, from 0.
        "record": "int",
        # Its key.
        "key": "NotRequired[str | None]",
        # Its time.
        "timestamp": "NotRequired[str]",
        # The logarithm of its density.
        "log_density": "NotRequired[float | None]",
        # The probability of each component.
        "responsibilities": "NotRequired[list[float | None] | None]",
        # The most probable component.
        "component": "NotRequired[int | None]",
        # Its id.
        "component_id": "NotRequired[str | None]",
        # The probability that it is from another.
        "uncertainty": "NotRequired[float | None]",
        # The most probable class.
        "class": "NotRequired[str | None]",
        # The share of records that are less strange.
        "anomaly_score": "NotRequired[float | None]",
        # The share of records that are as strange or stranger.
        "p_value": "NotRequired[float | None]",
        # The same as if what is new were strange; of a mixture that grows.
        "novelty_p_value": "NotRequired[float | None]",
        # The version that it is from.
        "version": "NotRequired[int | None]",
        "error": "NotRequired[ScoreError | None]",
    },
)


class ScoreAnswer(TypedDict):
    """Scores of several records."""

    # The model.
    model: str
    # Its run.
    run_id: str
    # The version that they are from.
    version: int
    # One for each record, in order.
    records: list[Score]


class ScoreError(TypedDict):
    """Why a record cannot be used."""

    # From the closed list.
    reason: str
    # What was found and expected.
    detail: str


class SharedPartition(TypedDict):
    """A partition of the source."""

    # Topic and number: `sensors/3`.
    partition: str
    # Who works on it; null while nobody does.
    worker: NotRequired[str | None]
    # The next record that is not in the model; null before it has begun with the partition.
    position: NotRequired[int | None]
    # The offset after the last record.
    end: int
    # Records that are not in the model yet; null before it has begun with the partition.
    lag: NotRequired[int | None]


class SharedWork(TypedDict):
    """Who learns a model that several workers learn, as the brokers know it, and how far the model is in every
    partition.
    """

    # The consumer group of the workers.
    group_id: str
    # The name of the worker that was asked.
    this_worker: str
    # The members of the group, and who stands ready to fold.
    workers: list[GroupWorker]
    # The partitions of the source.
    partitions: list[SharedPartition]
    # Records that are not in the model yet, of the partitions that it has begun with.
    lag: int


class Snapshot(TypedDict):
    """A version of a model: all that is needed to score records. docs/formats.md has every member."""

    # streamem.snapshot.
    format: str
    # 1.1; within 1 only members are added.
    format_version: str
    # Which model it is of.
    model: SnapshotModel
    # Strictly increasing within a run.
    version: int
    # When it was made.
    created_at: str
    # What goes in and comes out.
    signature: SnapshotSignature
    # The blocks of parameters by name, in the units of the records.
    parameters: dict[str, SnapshotBlock]
    # The same, averaged over the last half of the stream.
    averaged_parameters: NotRequired[dict[str, SnapshotBlock] | None]
    # One stable id per component.
    component_ids: list[str]
    # The label each component was named after, null where none.
    labels: NotRequired[list[Any] | None]
    # What features are taken off and divided by inside.
    standardization: SnapshotStandardization
    # How it was learned.
    training: SnapshotTraining
    # The next record of every partition.
    source: dict[str, int]


class SnapshotBlock(TypedDict):
    """A block of parameters."""

    # Its extents, outermost first.
    shape: list[int]
    # Its numbers, row by row.
    data: list[float]


class SnapshotModel(TypedDict):
    """Which model a version is of."""

    # Its id.
    id: str
    # Its type in the catalogue.
    type: str
    # Every option of the type, as texts.
    options: dict[str, str]
    # Identity of the run.
    run_id: str
    # Of the model's part of the configuration.
    config_hash: str


class SnapshotSignature(TypedDict):
    """What goes in and comes out."""

    # The features, in order.
    features: list[str]
    # What scoring says of a record.
    outputs: list[str]


class SnapshotStandardization(TypedDict):
    """What features are taken off and divided by inside."""

    # What is taken off.
    location: list[float]
    # What they are divided by.
    scale: list[float]


class SnapshotTraining(TypedDict):
    """How a version was learned."""

    # statistics or parameters.
    recursion: str
    # The last step size.
    step_size: float
    # Updates so far.
    updates: int
    # Records learned from.
    records: int
    # How many records the parameters' precision is worth.
    effective_records: NotRequired[float | None]
    # Of the last minibatch before its update, nats per record.
    mean_log_likelihood: NotRequired[float | None]
    # ok or degenerate.
    status: str
    # What a person should know.
    warnings: list[str]


class StalenessSummary(TypedDict):
    """Versions made between the parameters that a minibatch was computed under and the first state with it in."""

    # Of the last 256 of this worker, how many there were.
    minibatches: int
    # Their mean.
    mean: float
    # The largest.
    max: int


class Taken(TypedDict):
    """What was taken."""

    # Records that will be learned from.
    accepted: int
    # Records that cannot be used and go to the rejected file.
    rejected: int
    # Records that the model is not about, passed over; nothing without `where`.
    filtered: NotRequired[int | None]
    # How many of these for which reason; nothing when there are none.
    reasons: NotRequired[dict[str, int] | None]
    # The first of these.
    first: NotRequired[list[RejectedInRequest] | None]


class VersionSummary(TypedDict):
    """One version of `GET /v1/models/{id}/snapshots`."""

    # The version.
    version: int
    # When it was made.
    created_at: str
    # Records learned from.
    records: int
    # Of its minibatch before the update, nats per record.
    mean_log_likelihood: NotRequired[float | None]
    # The same over all records since the parameters began.
    running_mean_log_likelihood: NotRequired[float | None]
    # gamma of the update.
    step_size: NotRequired[float | None]
    # E_q[log p(x, z)] of the minibatch, nats per record.
    energy: NotRequired[float | None]
    # H(q) of the minibatch, nats per record.
    entropy: NotRequired[float | None]
    # With `?components=true` how much of the stream each component accounts for, by its id.
    components: NotRequired[dict[str, float] | None]
    # Whether it is kept in the state directory and outlasts the worker; of such a one less is told.
    archived: NotRequired[bool]


class WarmUp(TypedDict):
    """How full the buffer for the initialisation is."""

    # Records in it.
    records: int
    # Records it takes.
    needed: int


class WhatIfAnswer(TypedDict):
    """A model as it is configured and as it might be, on the same records from the same start."""

    # Records that were replayed.
    records: int
    # Under the configuration that runs.
    as_it_is: ReplayOutcome
    # Under the changed one.
    what_if: ReplayOutcome
    # Whether the log-likelihoods are of the same features, so that one may be set against the other.
    are_comparable: bool
    # The changes, as `--set` takes them.
    settings: list[str]
    # The changes, as a configuration file has them.
    configuration: str


class WordTaken(TypedDict):
    """What a word did."""

    # The record's number.
    record: int
    # The p-value that it could have raised an alarm by; null where it had none.
    p_value: NotRequired[float | None]
    # Components that are other than they were; null where the model cannot take a word.
    components: NotRequired[int | None]
    # The threshold of the alarms from now on; null without alarms.
    threshold: NotRequired[float | None]
    # Whether it moved.
    threshold_moved: bool


class Client(Connection):
    """A worker: ``Client("http://localhost:8080", token="...")``. An answer that is an error raises ``StreamEmError``."""

    def livez(self) -> str:
        """Whether the process lives."""
        return self._text("GET", "/livez")

    def startupz(self) -> ReadinessAnswer:
        """Whether every model has restored its state."""
        return self._json("GET", "/startupz")

    def readyz(self, *, model: str | None = None) -> ReadinessAnswer:
        """Whether every model does its work.

        :param model: The model that is asked for; all without.
        """
        return self._json("GET", "/readyz", query={"model": model})

    def version(self) -> dict[str, str]:
        """The program's version."""
        return self._json("GET", "/version")

    def metrics(self) -> str:
        """Numbers for Prometheus."""
        return self._text("GET", "/metrics")

    def list_models(self) -> list[ModelSummary]:
        """Every model and where it stands."""
        return self._json("GET", "/v1/models")

    def get_newest_snapshot(self, id: str, *, min_version: int | None = None, wait: str | None = None) -> Snapshot:
        """The newest version, or the one that is pinned.

        :param id: The model's id in the configuration.
        :param min_version: The least version that is of use; an older one is not answered.
        :param wait: How long to wait for that version: 30s, 500ms, 1m; 60s at most.
        """
        return self._json("GET", f"/v1/models/{part(id)}", query={"min_version": min_version, "wait": wait})

    def list_snapshots(
        self,
        id: str,
        *,
        after: int | None = None,
        components: bool | None = None,
    ) -> list[VersionSummary]:
        """The versions kept.

        :param id: The model's id in the configuration.
        :param after: Only versions newer than this one.
        :param components: Whether the share of every component is told.
        """
        return self._json("GET", f"/v1/models/{part(id)}/snapshots", query={"after": after, "components": components})

    def get_snapshot(self, id: str, version: int) -> Snapshot:
        """One version.

        :param id: The model's id in the configuration.
        :param version: The version.
        """
        return self._json("GET", f"/v1/models/{part(id)}/snapshots/{part(version)}")

    def stream_snapshots(self, id: str, *, last_event_id: str | None = None) -> Iterator[Snapshot]:
        """Versions as server-sent events.

        Of every event, `event` is snapshot, `id` the version and `data` the snapshot on one line.

        :param id: The model's id in the configuration.
        :param last_event_id: The last version that was seen, alone or as RUN-VERSION: it is not sent again.
        """
        return self._events("GET", f"/v1/models/{part(id)}/stream", headers={"Last-Event-ID": last_event_id})

    def score(self, id: str, records: Records, *, content_type: str = LINES) -> Iterator[Score]:
        """Scores records under the newest version.

        The answer is JSON, one object a line when the request was, or what the Accept header asks for:
        application/json, application/x-ndjson or text/csv. A record that cannot be used has an error at its place.

        :param id: The model's id in the configuration.
        :param records: Mappings of fields; or a text or bytes as ``content_type`` says.
        :param content_type: ``application/json``, ``application/x-ndjson`` or ``text/csv``.
        """
        return self._lines("POST", f"/v1/models/{part(id)}/score", records=records, content_type=content_type)

    def send_records(self, id: str, records: Records, *, content_type: str = LINES) -> Taken:
        """Sends records to learn from to a model with an http source: all or none.

        :param id: The model's id in the configuration.
        :param records: Mappings of fields; or a text or bytes as ``content_type`` says.
        :param content_type: ``application/json``, ``application/x-ndjson`` or ``text/csv``.
        """
        return self._json("POST", f"/v1/models/{part(id)}/records", records=records, content_type=content_type)

    def give_feedback(
        self,
        id: str,
        verdict: str,
        *,
        record: int | None = None,
        timestamp: Any = None,
        key: Any = None,
        move_threshold: bool | None = None,
    ) -> WordTaken:
        """Says of one of the last records that it was normal or abnormal.

        The record is named by its number, or by its time and, where it has one, its key. Learning moves where the
        mixture grows; the answer comes when the state that knows of it is kept.

        :param id: The model's id in the configuration.
        :param verdict: normal or abnormal.
        :param record: Its number.
        :param timestamp: Its time: an ISO 8601 text, or a number as the records have it.
        :param key: Its key, a text or a number.
        :param move_threshold: Whether the threshold of the alarms shall move.
        """
        return self._json(
            "POST",
            f"/v1/models/{part(id)}/feedback",
            body={
                "verdict": verdict,
                "record": record,
                "timestamp": timestamp,
                "key": key,
                "move_threshold": move_threshold,
            },
        )

    def checkpoint(self, id: str) -> Done:
        """Keeps the model's state now.

        :param id: The model's id in the configuration.
        """
        return self._json("POST", f"/v1/models/{part(id)}/checkpoint")

    def pause(self, id: str) -> Done:
        """Takes no more records: they wait in their source.

        :param id: The model's id in the configuration.
        """
        return self._json("POST", f"/v1/models/{part(id)}/pause")

    def resume(self, id: str) -> Done:
        """Takes records again.

        :param id: The model's id in the configuration.
        """
        return self._json("POST", f"/v1/models/{part(id)}/resume")

    def revert(self, id: str, *, version: int | None = None) -> Done:
        """Goes back to a version that is kept: its parameters are the next version's.

        :param id: The model's id in the configuration.
        :param version: The version.
        """
        return self._json("POST", f"/v1/models/{part(id)}/revert", query={"version": version})

    def pin(self, id: str, *, version: int | None = None) -> Done:
        """Serves and publishes one version, the present one where none is named, whatever is learned.

        :param id: The model's id in the configuration.
        :param version: The version.
        """
        return self._json("POST", f"/v1/models/{part(id)}/pin", query={"version": version})

    def unpin(self, id: str) -> Done:
        """Serves and publishes the newest version again.

        :param id: The model's id in the configuration.
        """
        return self._json("POST", f"/v1/models/{part(id)}/unpin")

    def checkpoint_all(self) -> list[Done]:
        """Keeps the state of every model now."""
        return self._json("POST", "/v1/admin/checkpoint")

    def pause_all(self) -> list[Done]:
        """Pauses every model."""
        return self._json("POST", "/v1/admin/pause")

    def resume_all(self) -> list[Done]:
        """Has every model go on."""
        return self._json("POST", "/v1/admin/resume")

    def reload(self) -> ReloadReport:
        """Reads the configuration again, as SIGHUP does, and says what became of it."""
        return self._json("POST", "/v1/admin/reload")

    def drain(self) -> Accepted:
        """Ends the worker in order, as SIGTERM does: what was taken is learned, kept and published."""
        return self._json("POST", "/v1/admin/drain")

    def list_recent(
        self,
        id: str,
        *,
        kind: Literal["sample", "alarms", "strangest"] | None = None,
        limit: int | None = None,
    ) -> RecentAnswer:
        """Records taken lately, scored.

        An even sample of the latest records (1000 at most), those that raised or ended an alarm, or the strangest of
        the last minutes (100 at most), each with its fields. A restart begins anew.

        :param id: The model's id in the configuration.
        :param kind: Which of them; an even sample without.
        :param limit: The most of them; 200 without, or 100 where more are not kept.
        """
        return self._json("GET", f"/v1/models/{part(id)}/recent", query={"kind": kind, "limit": limit})

    def get_layout(self, id: str) -> LayoutAnswer:
        """The blocks of parameters: shapes, domains, what the places along each axis are called.

        :param id: The model's id in the configuration.
        """
        return self._json("GET", f"/v1/models/{part(id)}/layout")

    def list_components(self, id: str, *, x: str | None = None, y: str | None = None) -> ComponentsAnswer:
        """The components of the newest version, with their moments in two features where asked for.

        :param id: The model's id in the configuration.
        :param x: A feature.
        :param y: Another.
        """
        return self._json("GET", f"/v1/models/{part(id)}/components", query={"x": x, "y": y})

    def get_graph(self, id: str) -> str:
        """The model in plate notation.

        :param id: The model's id in the configuration.
        """
        return self._text("GET", f"/v1/models/{part(id)}/graph")

    def compare_snapshots(self, id: str, from_: int, to: int) -> Difference:
        """How two versions kept differ.

        :param id: The model's id in the configuration.
        :param from_: The one.
        :param to: The other.
        """
        return self._json("GET", f"/v1/models/{part(id)}/diff", query={"from": from_, "to": to})

    def list_workers(self, id: str) -> SharedWork:
        """The workers that learn a model together, their partitions, and what is not learned yet.

        :param id: The model's id in the configuration.
        """
        return self._json("GET", f"/v1/models/{part(id)}/workers")

    def count_keys(self, id: str) -> KeyCounts:
        """How many keys have a model of their own.

        :param id: The model's id in the configuration.
        """
        return self._json("GET", f"/v1/models/{part(id)}/keys")

    def get_key(self, id: str, key: str) -> KeySummary:
        """What the model of a key has learned.

        :param id: The model's id in the configuration.
        :param key: The key; slashes in it stay as they are.
        """
        return self._json("GET", f"/v1/models/{part(id)}/keys/{part(key, '/')}")

    def what_if(
        self,
        id: str,
        *,
        kappa: float | None = None,
        components: int | None = None,
        features: list[str] | None = None,
        alarm_threshold: float | None = None,
        false_discovery_rate: float | None = None,
        records: int | None = None,
    ) -> WhatIfAnswer:
        """Learns the last records once more, as they are and with changes, and compares.

        Nothing of the running model changes. Both replays begin anew with the same records, each scored before it is
        learned from. One change at least has to be named.

        :param id: The model's id in the configuration.
        :param kappa: The exponent of the step size: `learning.step_size.kappa`.
        :param components: The number of components, states, topics or experts.
        :param features: The features, some of those that there are.
        :param alarm_threshold: The p-value below which a record raises an alarm: `alarms.threshold`.
        :param false_discovery_rate: The share of alarms that may be false: `alarms.false_discovery_rate`.
        :param records: The most records that are replayed; null: all that are kept.
        """
        return self._json(
            "POST",
            f"/v1/models/{part(id)}/what-if",
            body={
                "kappa": kappa,
                "components": components,
                "features": features,
                "alarm_threshold": alarm_threshold,
                "false_discovery_rate": false_discovery_rate,
                "records": records,
            },
        )
