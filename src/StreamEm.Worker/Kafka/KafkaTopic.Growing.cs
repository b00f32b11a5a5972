using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Kafka;

/// <content>More partitions, and which topic it is.</content>
internal sealed partial class KafkaTopic
{
    /// <summary>What the cluster calls the topic, another one after it was deleted and created again.</summary>
    /// <returns>Null from brokers that do not say, and where there is no such topic.</returns>
    public string? Identify() => Ask(() =>
    {
        try
        {
            var topic = TopicCollection.OfTopicNames([_target.Topic]);
            DescribeTopicsResult result =
                Answer(_admin.DescribeTopicsAsync(topic, new DescribeTopicsOptions { RequestTimeout = AdminQuestion.ClientTimeout }));
            return result.TopicDescriptions.Single().TopicId is { } id && (id.MostSignificantBits | id.LeastSignificantBits) != 0
                ? id.ToString() : null;
        }
        catch (DescribeTopicsException failure) when (failure.Results.TopicDescriptions is [{ Error: { IsError: true } error }])
        {
            return error.Code == ErrorCode.UnknownTopicOrPart ? null : throw Permanent(error, failure);
        }
    });

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
