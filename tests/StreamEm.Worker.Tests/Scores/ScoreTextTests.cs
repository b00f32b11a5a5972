using System.Text;
using StreamEm.Worker.Scores;

namespace StreamEm.Worker.Tests.Scores;

/// <summary>What a person is shown of a scored record.</summary>
public sealed class ScoreTextTests
{
    private const string Raised = """
        {"model":"boiler","record":5750,"key":"dev2","timestamp":"2023-11-15T14:11:40.000Z","partition":"data/a.csv","offset":191657,
         "log_density":-13.8,"component":0,"component_id":"c0","anomaly_score":0.9997,"p_value":0.0003,"alarm":true,"alarm_event":"raised",
         "version":22,"fields":{"pressure":1.1,"temperature":61.2,"flow":null,"ts":"x"},
         "explanation":{"pressure":{"contribution":0.1,"expected":1.05,"interval":[0.9,1.2]},
                        "temperature":{"contribution":13.2,"expected":20.123456,"interval":[18.9,21.3]},
                        "flow":{"contribution":null,"expected":null,"interval":[null,null]}}}
        """;

    [Fact]
    public void Of_AnAlarm_SaysByWhatAndWhere() => Assert.Equal(
        "2023-11-15T14:11:40.000Z  boiler/dev2  ALARM  p 0.0003  temperature 61.2 (expected 20.12, 18.9 to 21.3); "
            + "pressure 1.1 (expected 1.05, 0.9 to 1.2); flow missing  data/a.csv:191657",
        Text(Raised));

    [Fact]
    public void Of_AnAlarmInColours_EndsThemAll()
    {
        string text = ScoreText.Of(Encoding.UTF8.GetBytes(Raised), hasColours: true);

        Assert.Contains("\e[1;31mALARM\e[0m", text, StringComparison.Ordinal);
        Assert.EndsWith("\e[0m", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"model":"m","record":1,"p_value":0.5,"anomaly_score":0.5,"alarm":false,"alarm_event":"cleared"}""", "m  over  p 0.5")]
    [InlineData("""{"model":"m","record":1,"p_value":0.01,"anomaly_score":0.99,"alarm":true}""", "m  lasts  p 0.01")]
    [InlineData("""{"model":"m","record":1,"p_value":0.25,"novelty_p_value":0.125,"anomaly_score":0.75}""", "m  score 0.75  p 0.125")]
    [InlineData("""{"model":"m","record":1,"p_value":null,"anomaly_score":null,"fields":{"a":1,"b":"two","c":3,"d":4}}""",
        "m  no score yet  a 1; b two; c 3")]
    public void Of_OtherLines_SayHowItStands(string json, string text) => Assert.Equal(text, Text(json));

    [Fact]
    public void Of_TextsOfTheRecord_AreNoOrdersToTheTerminal()
    {
        string text =
            Text("""{"model":"m","record":1,"key":"\u001b[2J","p_value":0.5,"anomaly_score":0.5,"fields":{"a\u001b":"x\r\ny\u0007"}}""");

        Assert.DoesNotContain(text, char.IsControl);
    }

    private static string Text(string json) => ScoreText.Of(Encoding.UTF8.GetBytes(json), hasColours: false);
}
