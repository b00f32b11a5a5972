namespace StreamEm.Worker.Telemetry;

/// <summary>Every event the worker logs, once: one line each, numbers and names only, never a record's values.</summary>
internal static partial class WorkerLog
{
    [LoggerMessage(1, LogLevel.Information, "StreamEM {Release} starts with {Models} model(s), state in {StateDirectory}",
        EventName = "worker_started")]
    public static partial void WorkerStarted(ILogger log, string release, int models, string stateDirectory);

    [LoggerMessage(2, LogLevel.Information, "HTTP API at {Address}, dashboard at {Dashboard}", EventName = "http_listening")]
    public static partial void HttpListening(ILogger log, string address, string dashboard);

    [LoggerMessage(3, LogLevel.Information, "{Reason}: stopping; a second signal ends the process at once", EventName = "stop_requested")]
    public static partial void StopRequested(ILogger log, string reason);

    [LoggerMessage(4, LogLevel.Information, "Stopped with exit code {ExitCode} after {Seconds:0.0} s", EventName = "worker_stopped")]
    public static partial void WorkerStopped(ILogger log, int exitCode, double seconds);

    [LoggerMessage(5, LogLevel.Error, "Not stopped within {Seconds:0} s; ending the process", EventName = "shutdown_deadline")]
    public static partial void ShutdownDeadline(ILogger log, double seconds);

    [LoggerMessage(6, LogLevel.Warning, "Not ready: {Obstacle}", EventName = "not_ready")]
    public static partial void NotReady(ILogger log, string obstacle);

    [LoggerMessage(7, LogLevel.Information, "Ready again", EventName = "ready_again")]
    public static partial void ReadyAgain(ILogger log);

    [LoggerMessage(8, LogLevel.Information,
        "SIGHUP: the state of every model is kept now, and the configuration, where there is one, is read again",
        EventName = "hang_up")]
    public static partial void HangUp(ILogger log);

    [LoggerMessage(9, LogLevel.Information,
        "The worker runs by the configuration as it is now: started or changed {Started}; stopped {Stopped}; {Unchanged} as before",
        EventName = "configuration_reloaded")]
    public static partial void ConfigurationReloaded(ILogger log, string started, string stopped, int unchanged);

    [LoggerMessage(62, LogLevel.Error, "The configuration was read again and is not used: {Problem}", EventName = "configuration_refused")]
    public static partial void ConfigurationRefused(ILogger log, string problem);

    [LoggerMessage(10, LogLevel.Information, "Model {Model} starts a new run {RunId}", EventName = "run_started")]
    public static partial void RunStarted(ILogger log, string model, string runId);

    [LoggerMessage(11, LogLevel.Information, "Model {Model} goes on with run {RunId} at version {Version} after {Records} records",
        EventName = "run_resumed")]
    public static partial void RunResumed(ILogger log, string model, string runId, long version, long records);

    [LoggerMessage(12, LogLevel.Information, "Model {Model} has its first parameters after {Records} records",
        EventName = "model_initialized")]
    public static partial void ModelInitialized(ILogger log, string model, long records);

    [LoggerMessage(13, LogLevel.Debug,
        "Model {Model} version {Version}: step size {StepSize:0.####}, mean log-likelihood {MeanLogLikelihood:0.####}",
        EventName = "model_updated")]
    public static partial void ModelUpdated(ILogger log, string model, long version, double stepSize, double meanLogLikelihood);

    [LoggerMessage(14, LogLevel.Information,
        "Model {Model} finished its source at version {Version} after {Records} records, {Rejected} rejected",
        EventName = "source_finished")]
    public static partial void SourceFinished(ILogger log, string model, long version, long records, long rejected);

    [LoggerMessage(15, LogLevel.Information, "Model {Model} stopped at version {Version} after {Records} records",
        EventName = "model_stopped")]
    public static partial void ModelStopped(ILogger log, string model, long version, long records);

    [LoggerMessage(16, LogLevel.Critical, "Model {Model} failed: {Problem}", EventName = "model_failed")]
    public static partial void ModelFailed(ILogger log, string model, string problem, Exception? cause);

    [LoggerMessage(17, LogLevel.Warning, "Model {Model}: {Problem}", EventName = "model_warning")]
    public static partial void ModelWarning(ILogger log, string model, string problem);

    [LoggerMessage(18, LogLevel.Warning, "Model {Model} waits: {Bytes} bytes of snapshots are not published yet",
        EventName = "outbox_full")]
    public static partial void OutboxFull(ILogger log, string model, long bytes);

    [LoggerMessage(53, LogLevel.Information,
        "Model {Model} has {Records} of the {Buffer} records that its first parameters are found in; the first version is expected in "
            + "about {Expected}", EventName = "warming_up")]
    public static partial void WarmingUp(ILogger log, string model, long records, long buffer, string expected);

    [LoggerMessage(54, LogLevel.Information, "Model {Model} is at version {Version} after {Records} records, {Rate:0.#} a second",
        EventName = "progress")]
    public static partial void Progress(ILogger log, string model, long version, long records, double rate);

    [LoggerMessage(50, LogLevel.Information, "Model {Model}: {Change}; {Effect}", EventName = "configuration_changed")]
    public static partial void ConfigurationChanged(ILogger log, string model, string change, string effect);

    [LoggerMessage(55, LogLevel.Warning,
        "Model {Model} goes on with recursion: parameters, which its state was learned with; recursion: statistics, the default since, has "
            + "no bias of small minibatches. Write either to the configuration to choose", EventName = "recursion_kept")]
    public static partial void RecursionKept(ILogger log, string model);

    [LoggerMessage(51, LogLevel.Warning,
        "Model {Model} has no version yet and begins anew with what has changed, configuration or data; {Pending} record(s) that were "
            + "taken are read again where the source can be, and forgotten where it cannot", EventName = "run_begun_anew")]
    public static partial void RunBegunAnew(ILogger log, string model, long pending);

    [LoggerMessage(52, LogLevel.Information,
        "Model {Model} goes on from {From}: version {Version}, {Records} records", EventName = "run_continued")]
    public static partial void RunContinued(ILogger log, string model, string from, long version, long records);

    [LoggerMessage(19, LogLevel.Error,
        "Model {Model} stays as it is, failed ({ExitCode}), and the other models go on; starting the worker again tries it again",
        EventName = "model_left")]
    public static partial void ModelLeft(ILogger log, string model, int exitCode);

    [LoggerMessage(60, LogLevel.Information, "Administration: {Action} of {Subject}, asked by {Client} ({Credential}): {Result}",
        EventName = "administration")]
    public static partial void Administration(ILogger log, string action, string subject, string client, string credential, string result);

    [LoggerMessage(61, LogLevel.Warning,
        "Model {Model} is paused, as it was when the worker ended; POST /v1/models/{Model}/resume has it go on",
        EventName = "still_paused")]
    public static partial void StillPaused(ILogger log, string model);

    [LoggerMessage(20, LogLevel.Debug,
        "Checkpoint of model {Model} at version {Version} after {Records} records: {Bytes} bytes in {Milliseconds:0.0} ms",
        EventName = "checkpoint_written")]
    public static partial void CheckpointWritten(ILogger log, string model, long version, long records, long bytes, double milliseconds);

    [LoggerMessage(21, LogLevel.Error, "Checkpoint of model {Model} could not be written and will be tried again: {Problem}",
        EventName = "checkpoint_failed")]
    public static partial void CheckpointFailed(ILogger log, string model, string problem);

    [LoggerMessage(22, LogLevel.Information, "Model {Model} loaded checkpoint {File}: version {Version}, {Records} records",
        EventName = "checkpoint_loaded")]
    public static partial void CheckpointLoaded(ILogger log, string model, string file, long version, long records);

    [LoggerMessage(23, LogLevel.Error, "Checkpoint {File} is passed over: {Problem}", EventName = "checkpoint_damaged")]
    public static partial void CheckpointDamaged(ILogger log, string file, string problem);

    [LoggerMessage(30, LogLevel.Warning, "{File} has {Found} bytes, fewer than the {Expected} of the checkpoint; it goes on as it is",
        EventName = "rejected_file_short")]
    public static partial void RejectedFileShort(ILogger log, string file, long found, long expected);

    [LoggerMessage(38, LogLevel.Warning,
        "{File} is not the file of rejected records that the checkpoint knew with {Length} bytes; it goes on at its end, nothing is cut",
        EventName = "rejected_file_other")]
    public static partial void RejectedFileOther(ILogger log, string file, long length);

    [LoggerMessage(39, LogLevel.Warning, "Model {Model}: {Problem}", EventName = "source_part_set_aside")]
    public static partial void SourceTold(ILogger log, string model, string problem);

    [LoggerMessage(35, LogLevel.Warning,
        "Model {Model} cannot read the {Field} of {Records} records so far; they are used without it, and counted",
        EventName = "first_unread_field")]
    public static partial void FirstUnread(ILogger log, string model, string field, long records);

    [LoggerMessage(25, LogLevel.Information, "Model {Model}: component {Component} {Event} with version {Version}",
        EventName = "component_event")]
    public static partial void ComponentEvent(ILogger log, string model, string component, string @event, long version);

    [LoggerMessage(31, LogLevel.Warning, "Model {Model} rejected its first record ({Reason}) in {Partition} at offset {Offset}",
        EventName = "first_rejection")]
    public static partial void FirstRejection(ILogger log, string model, string reason, string partition, long offset);

    [LoggerMessage(32, LogLevel.Warning,
        "Model {Model} goes on in {Partition} at offset {Offset}: {Skipped} records in all were gone before they were read",
        EventName = "records_skipped")]
    public static partial void RecordsSkipped(ILogger log, string model, string partition, long offset, long skipped);

    [LoggerMessage(33, LogLevel.Warning, "Model {Model} goes on and holds back clients whose records cannot be used: {Problem}",
        EventName = "too_many_rejected")]
    public static partial void TooManyRejected(ILogger log, string model, string problem);

    [LoggerMessage(34, LogLevel.Information, "Model {Model}: no more records than allowed are rejected now", EventName = "few_rejected")]
    public static partial void FewRejected(ILogger log, string model);

    [LoggerMessage(40, LogLevel.Warning, "Snapshot log {File} ended in {Bytes} bytes of an unfinished line, which were cut",
        EventName = "snapshot_log_cut")]
    public static partial void SnapshotLogCut(ILogger log, string file, long bytes);

    [LoggerMessage(41, LogLevel.Information, "Topic {Topic} did not exist and was created with {Settings}", EventName = "topic_created")]
    public static partial void TopicCreated(ILogger log, string topic, string settings);

    [LoggerMessage(42, LogLevel.Warning,
        "Topic {Topic} is not compacted (cleanup.policy={CleanupPolicy}): it grows with every snapshot, or forgets models that are not "
            + "published for long; set cleanup.policy=compact", EventName = "topic_not_compacted")]
    public static partial void TopicNotCompacted(ILogger log, string topic, string cleanupPolicy);

    [LoggerMessage(43, LogLevel.Warning,
        "The settings of topic {Topic} may not be seen (no DescribeConfigs right): it is taken to accept messages of {Bytes} bytes",
        EventName = "topic_settings_unknown")]
    public static partial void TopicSettingsUnknown(ILogger log, string topic, int bytes);

    [LoggerMessage(44, LogLevel.Information,
        "Model {Model}: topic {Topic} holds version {Version} of this run, found in {Records} recent records", EventName = "topic_read")]
    public static partial void TopicRead(ILogger log, string model, string topic, long version, long records);

    [LoggerMessage(45, LogLevel.Warning,
        "The scores in {File} are not the ones the state goes on from at {Expected} bytes: scores are appended at {Bytes} bytes",
        EventName = "score_file_other")]
    public static partial void ScoreFileOther(ILogger log, string file, long expected, long bytes);

    [LoggerMessage(46, LogLevel.Warning,
        "Model {Model}: {Sink} is not configured any more; {Records} scored record(s) that had not arrived there are dropped",
        EventName = "scores_dropped")]
    public static partial void ScoresDropped(ILogger log, string model, string sink, int records);

    [LoggerMessage(60, LogLevel.Information, "Model {Model}: this worker works on {Count} partition(s): {Partitions}",
        EventName = "partitions_assigned")]
    public static partial void PartitionsAssigned(ILogger log, string model, int count, string partitions);

    [LoggerMessage(61, LogLevel.Warning,
        "Model {Model}: of {Count} minibatch(es) under way some were not counted; their records are worked on anew from where the model "
            + "stands", EventName = "contributions_missed")]
    public static partial void ContributionsMissed(ILogger log, string model, int count);

    [LoggerMessage(62, LogLevel.Warning, "Model {Model}: the statistics at offset {Offset} do not count: {Verdict}",
        EventName = "contribution_not_counted")]
    public static partial void ContributionNotCounted(ILogger log, string model, long offset, string verdict);

    [LoggerMessage(90, LogLevel.Warning,
        "Model {Model} was folded by a worker with another configuration ({Changes} here): until all have the same, what is learned "
            + "depends on who folds, and audit cannot fold the statistics again", EventName = "shared_configuration_differs")]
    public static partial void SharedConfigurationDiffers(ILogger log, string model, string changes);

    [LoggerMessage(63, LogLevel.Information,
        "Model {Model}: this worker folds the statistics, from version {Version} and offset {Offset} on", EventName = "reducer_active")]
    public static partial void ReducerActive(ILogger log, string model, long version, long offset);

    [LoggerMessage(66, LogLevel.Warning,
        "Model {Model}: the statistics end at offset {End}, and the model has some up to {Next}: their topic was cut or created again. "
            + "What is not in the model yet is computed anew; audit cannot fold this run again", EventName = "statistics_lost")]
    public static partial void StatisticsLost(ILogger log, string model, long end, long next);

    [LoggerMessage(65, LogLevel.Warning, "Model {Model}: a transaction of the {Role} was not committed: {End}",
        EventName = "transaction_not_committed")]
    public static partial void TransactionNotCommitted(ILogger log, string model, string role, string end);

    [LoggerMessage(64, LogLevel.Information, "Model {Model} has its first parameters; run {RunId} begins", EventName = "model_begun")]
    public static partial void ModelBegun(ILogger log, string model, string runId);

    [LoggerMessage(70, LogLevel.Information,
        "Model {Model}: {Keys} key(s) of {Count} partition(s) restored in {Seconds:F2} s, from {Read} record(s) of the topic and {Copied} "
            + "of the copy here", EventName = "keys_restored")]
    public static partial void KeysRestored(ILogger log, string model, long keys, int count, double seconds, long read, long copied);

    [LoggerMessage(71, LogLevel.Warning,
        "Model {Model}: the topic of keys does not have all that keys had learned of {Partition}; records are read again from offset "
            + "{Offset} on, up to {Marked}, and learned by the keys that lack them", EventName = "keys_read_again")]
    public static partial void KeysReadAgain(ILogger log, string model, string partition, long offset, long marked);

    [LoggerMessage(72, LogLevel.Warning,
        "Model {Model}: a key of {Partition} is in another partition too and has a model of each; have producers partition by key",
        EventName = "key_met_twice")]
    public static partial void KeyMetTwice(ILogger log, string model, string partition);

    [LoggerMessage(73, LogLevel.Warning,
        "Model {Model}: the copy of partition {Partition} of the topic of keys is begun anew: {Reason}",
        EventName = "keys_standby_dropped")]
    public static partial void StandbyDropped(ILogger log, string model, int partition, string reason);

    [LoggerMessage(74, LogLevel.Warning,
        "Model {Model}: the topic of keys cannot be followed for the copies, which is tried again: {Reason}",
        EventName = "keys_standby_failed")]
    public static partial void StandbyFailed(ILogger log, string model, string reason);

    [LoggerMessage(75, LogLevel.Information,
        "Model {Model}: follows {Count} partition(s) of the topic of keys that others have, {Lag} record(s) behind",
        EventName = "keys_standby_following")]
    public static partial void StandbyFollowing(ILogger log, string model, int count, long lag);

    [LoggerMessage(80, LogLevel.Warning,
        "Model {Model}: run {OtherRun} publishes the same id to topic {Topic} (version {Version}, from {Host}); it came later and is to "
            + "end by itself: give it an id of its own", EventName = "another_run_publishes")]
    public static partial void AnotherRunPublishes(ILogger log, string model, string topic, string otherRun, long version, string host);

    [LoggerMessage(81, LogLevel.Information,
        "Model {Model}: run {OldRun} was killed and learns otherwise now: what comes after version {Version} is of run {RunId}",
        EventName = "run_forked")]
    public static partial void RunForked(ILogger log, string model, string oldRun, string runId, long version);

    [LoggerMessage(82, LogLevel.Warning,
        "Model {Model}: per_key is off, and the models of {Keys} keys are given up; switch it on again to learn them anew",
        EventName = "keys_given_up")]
    public static partial void KeysGivenUp(ILogger log, string model, long keys);
}
