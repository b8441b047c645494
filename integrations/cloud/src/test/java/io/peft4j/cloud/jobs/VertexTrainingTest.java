package io.peft4j.cloud.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How the variables of Vertex AI become the words of a training. */
class VertexTrainingTest {
    @TempDir
    Path folder;
    private final RecordingCommands commands = new RecordingCommands();
    private final Map<String, String> variables = new HashMap<>();

    @BeforeEach
    void data() throws IOException {
        Files.createDirectories(folder.resolve("data"));
        Files.writeString(folder.resolve("data/train-1.jsonl"), "1");
        Files.writeString(folder.resolve("data/train-2.jsonl"), "2");
        variables.putAll(Map.of("PEFT4J_MODEL", "a/model", "AIP_MODEL_DIR", folder.resolve("model").toString(),
                "AIP_CHECKPOINT_DIR", folder.resolve("checkpoints").toString(), "AIP_TRAINING_DATA_URI",
                folder.resolve("data/train-1.jsonl").toString(), "PEFT4J_OBJECTIVE", "classification"));
    }

    private String failing(String... words) {
        JobCommands.Outcome outcome = new VertexTraining(variables, List.of(words), commands,
                new PrintWriter(new StringWriter())).run();
        assertEquals(1, outcome.status());
        return outcome.problem();
    }

    @Test
    void optionsComeFromVariablesAndBeforeThemFromWords() {
        variables.putAll(Map.of("PEFT4J_EPOCHS", "3", "PEFT4J_LEARNING_RATE", "1e-3", "PEFT4J_NO_SHUFFLE", "true",
                "PEFT4J_JAVA_OPTS", "-Xmx8g", "AIP_TENSORBOARD_LOG_DIR", "logs"));
        assertEquals("not trained", failing("--epochs", "5"));
        assertEquals(List.of("--learning-rate=1e-3", "--model=a/model", "--no-shuffle", "--objective=classification",
                "--epochs", "5", "--checkpoint-steps=50", "--data=" + folder.resolve("data/train-1.jsonl"),
                "--tracker=tensorboard=logs", "--output=" + folder.resolve("checkpoints"), "--resume-or-start"),
                commands.words());
    }

    @Test
    void aVariableThatIsNoOptionIsNamedWithTheNearest() {
        variables.put("PEFT4J_EPOCHES", "3");
        assertTrue(failing().startsWith("unknown option 'epoches'; the nearest of"), failing());
    }

    @Test
    void whatTheContainerSettlesIsNotAnOption() {
        assertEquals("option --output cannot be set: the adapter goes to AIP_MODEL_DIR", failing("--output=x"));
        variables.put("PEFT4J_DATA", "x");
        assertTrue(failing().contains("the data comes from AIP_TRAINING_DATA_URI"));
    }

    @Test
    void filesThatFitAPatternAreJoined() throws IOException {
        Files.writeString(folder.resolve("data/other.jsonl"), "3");
        variables.put("AIP_TRAINING_DATA_URI", folder + "/data/train-*.jsonl");
        failing();
        String data = commands.words().stream().filter(word -> word.startsWith("--data=")).findFirst().orElseThrow();
        assertEquals("1\n2\n", Files.readString(Path.of(data.substring("--data=".length()))));
    }

    @Test
    void whatIsMissingIsNamed() {
        variables.remove("AIP_MODEL_DIR");
        assertTrue(failing().startsWith("the variable AIP_MODEL_DIR is not set"));
        variables.put("AIP_MODEL_DIR", folder.toString());
        variables.remove("AIP_TRAINING_DATA_URI");
        assertTrue(failing().startsWith("the variable AIP_TRAINING_DATA_URI is not set"));
        variables.put("AIP_TRAINING_DATA_URI", folder.resolve("none.jsonl").toString());
        assertTrue(failing().contains("none.jsonl) does not exist"));
        variables.remove("PEFT4J_MODEL");
        assertTrue(failing().startsWith("no base model: set the variable PEFT4J_MODEL"));
    }

    @Test
    void otherFormatsOfDataAreRefused() {
        variables.put("AIP_DATA_FORMAT", "bigquery");
        assertEquals("AIP_DATA_FORMAT is bigquery; only jsonl can be trained on", failing());
    }

    @Test
    void theMachinesOfAJobTrainTogetherAndTheFirstKeepsTheResult() {
        variables.put("PEFT4J_WORKERS_SECRET", "only ours");
        variables.put("CLUSTER_SPEC", "{\"cluster\": {\"workerpool1\": [\"b:2222\", \"c:2222\"], \"workerpool0\": "
                + "[\"a:2222\"]}, \"task\": {\"type\": \"workerpool1\", \"index\": 1}}");
        assertEquals("not trained", failing());
        assertTrue(commands.words().containsAll(List.of("--workers=a:2222,b:2222,c:2222", "--worker-rank=2",
                "--workers-secret=only ours")), commands.words().toString());
        assertFalse(commands.words().contains("--output=" + folder.resolve("checkpoints")));
        assertFalse(Files.exists(folder.resolve("model")));
    }
}
