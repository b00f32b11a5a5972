using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Kafka;

/// <content>More partitions.</content>
internal sealed partial class KafkaTopic
{
    /// <summary>Has the topic have so many partitions at least, unless somebody else sees to it.</summary>
    /// <exception cref="CommandException">The user may not (77), or the cluster takes no such topic (78).</exception>
    public void Grow(int partitions)
    {
        while (CountPartitions() is not { } known || known < partitions)
        {
            Ask(() =>
            {
                try
                {
                    Task growth = _admin.CreatePartitionsAsync(
                        [new PartitionsSpecification { Topic = _target.Topic, IncreaseTo = partitions }],
                        new CreatePartitionsOptions { RequestTimeout = AdminQuestion.ClientTimeout, OperationTimeout = Timeout });
                    AdminQuestion.AnswerAsync(growth, Timeout + Timeout, TimeProvider.System).GetAwaiter().GetResult();
                }
                catch (CreatePartitionsException failure) when (failure.Results is [{ Error: { IsError: true } error }])
                {
                    // Somebody else has, or is about to: it is looked at again.
                    if (error.Code != ErrorCode.InvalidPartitions) throw Permanent(error, failure);
                }

                return true;
            });
            if (CountPartitions() < partitions) Pause();
        }
    }
}
