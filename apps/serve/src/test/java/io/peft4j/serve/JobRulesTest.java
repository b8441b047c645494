package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.train.runs.RunInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What jobs may ask for, what is wrong with their data, and what can be done to them. */
class JobRulesTest {
    private static final String JOBS = "/v1/fine_tuning/jobs";

    @TempDir
    static Path data;

    private static TestServer server;
    private static String training;

    @BeforeAll
    static void start() {
        server = TestServer.start(data);
        training = server.upload(TestServer.rows(0, 12));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static String json(String more) {
        return ("{'model': 'tiny-llama', 'training_file': '" + training + "'" + more + "}").replace('\'', '"');
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            , 'suffx': 'a'                                                    | suffx
            , 'suffix': 3                                                     | suffix
            , 'seed': -1                                                      | seed
            , 'seed': 1.5                                                     | seed
            , 'metadata': []                                                  | metadata
            , 'metadata': {'a': 1}                                            | metadata
            , 'integrations': [{'type': 'mlflow'}]                            | integrations.type
            , 'integrations': [{'type': 'wandb'}]                             | integrations.wandb
            , 'integrations': [{'type': 'wandb', 'wandb': {}}]                | integrations.wandb.project
            , 'integrations': [7]                                             | integrations
            , 'method': {'type': 'reinforcement'}                             | method.reinforcement.grader
            , 'method': {'type': 'reinforcement', 'reinforcement': {'grader': 7}} | method.reinforcement.grader
            , 'method': {'type': 'lora'}                                      | method.type
            , 'method': {}                                                    | method.type
            , 'method': {'type': 'dpo', 'supervised': {}}                     | method.supervised
            , 'hyperparameters': {'n_epochs': 0}                              | hyperparameters.n_epochs
            , 'hyperparameters': {'n_epochs': 51}                             | hyperparameters.n_epochs
            , 'hyperparameters': {'n_epochs': 'many'}                         | hyperparameters.n_epochs
            , 'hyperparameters': {'batch_size': 257}                          | hyperparameters.batch_size
            , 'hyperparameters': {'learning_rate_multiplier': 0}              | hyperparameters.learning_rate_multiplier
            , 'hyperparameters': {'beta': 0.1}                                | hyperparameters.beta
            , 'hyperparameters': {'remember': 1}                              | hyperparameters.remember
            , 'method': {'type': 'dpo', 'dpo': {'hyperparameters':{'remember':1}}} | method.dpo.hyperparameters.remember
            , 'remember': 'yes'                                               | remember
            , 'remember': true, 'method': {'type': 'dpo'}                     | remember
            , 'hyperparameters': {}, 'method': {'type': 'supervised'}         | hyperparameters
            , 'validation_file': 'file-none'                                  | validation_file
            , 'validation_file': '../x'                                       | validation_file
            , 'model': 'tiny-llama'                                           | -
            """)
    void whatIsWrongIsNamed(String more, String param) {
        TestServer.Reply reply = server.post(JOBS, json(more));
        assertEquals(400, reply.status(), reply.toString());
        assertEquals("invalid_request_error", reply.error().get("type").asText());
        assertEquals(param.equals("-") ? "null" : param, reply.error().get("param").asText());
    }

    @Test
    void aFileOfAnotherPurposeIsRefused() {
        String file = server.send(server.upload(TestServer.form("user_data", "a.jsonl", "{}\n"))).get("id").asText();
        TestServer.Reply reply = server.post(JOBS, ("{'model': 'tiny-llama', 'training_file': '" + file + "'}")
                .replace('\'', '"'));
        assertEquals(400, reply.status());
        assertTrue(reply.error().get("message").asText().contains("purpose"), reply.toString());
    }

    private static JsonNode failed(String rows, String more) throws InterruptedException {
        training = server.upload(rows);
        JsonNode job = server.await(server.job(json(more)), "failed", "succeeded");
        assertEquals("failed", job.get("status").asText(), job.toString());
        assertTrue(job.get("finished_at").isNumber());
        return job.get("error");
    }

    @Test
    void fewerThanTenRowsFailAtTheTrainingFile() throws InterruptedException {
        JsonNode error = failed(TestServer.rows(0, 9), "");
        assertEquals("training_file", error.get("param").asText());
        assertEquals("training_file has 9 examples, but must have at least 10", error.get("message").asText());
    }

    @Test
    void wrongRowsFailWithTheirLines() throws InterruptedException {
        JsonNode error = failed(TestServer.rows(0, 12) + "{\"messages\": [{\"role\": \"user\", \"content\": \"?\"}]}\n"
                + "no json\n", "");
        assertEquals("invalid_training_file", error.get("code").asText());
        assertTrue(error.get("message").asText().contains("line 13: "), error.toString());
        assertTrue(error.get("message").asText().contains("line 14: "), error.toString());
        assertFalse(error.get("message").asText().contains(data.toString()), error.toString());
    }

    @Test
    void whatIsWrongWithManyRowsIsSaidOnceWithTheirNumber() throws InterruptedException {
        JsonNode error = failed(TestServer.rows(0, 12) + ("{\"messages\": [{\"role\": \"user\", \"content\": "
                + "\"?\"}]}\n").repeat(15), "");
        assertEquals("training_file: 15 lines (13, 14, 15, 16, 17, 18, 19, 20, 21, 22, ...): has no assistant message, "
                + "so there is nothing to learn", error.get("message").asText());
    }

    @Test
    void contradictingLabelsFailWithTheirLines() throws InterruptedException {
        StringBuilder rows = new StringBuilder();
        for (int i = 0; i < 12; i++) {
            rows.append("{\"messages\": [{\"role\": \"user\", \"content\": \"case ").append(i % 11)
                    .append("\"}, {\"role\": \"assistant\", \"content\": \"").append(i % 2 == 0 ? "billing" : "login")
                    .append("\"}]}\n");
        }
        JsonNode error = failed(rows.toString(), "");
        assertEquals("invalid_training_file", error.get("code").asText());
        assertEquals("training_file: lines 1, 12: the same input has the answer 'billing' in line 1 and 'login' in "
                + "line 12", error.get("message").asText());
    }

    /** Rows of two labels that their texts tell, and some more. */
    private static String labelled(String... more) {
        String row = "{\"text\": \"%s\", \"label\": \"%s\"}\n";
        StringBuilder rows = new StringBuilder();
        for (int i = 0; i < 40; i++) {
            rows.append(row.formatted(i % 2 == 0 ? "my invoice " + i + " is wrong" : "the password of user " + i
                    + " fails", i % 2 == 0 ? "billing" : "login"));
        }
        for (int i = 0; i < more.length; i += 2) {
            rows.append(row.formatted(more[i], more[i + 1]));
        }
        return rows.toString();
    }

    @Test
    void labelsThatAreSurelyWrongFailAndOthersAreWarnings() throws InterruptedException {
        assertEquals("training_file: lines 1, 41: the same input has the label 'billing' in line 1 and 'login' in "
                + "line 41; line 42: the label 'login ' (1 row) is the label 'login' (21 rows) in other spaces",
                failed(labelled("my invoice 0 is wrong", "login", "the password of user 50 fails", "login "), "")
                        .get("message").asText());
        training = server.upload(labelled("my invoice 51 is wrong", "biling", "my invoice 52 is wrong", "Billing",
                "my invoice 53 is wrong", "login"));
        String id = server.job(json(", 'hyperparameters': {'n_epochs': 1}"));
        server.await(id, "succeeded");
        String said = events(id).toString();
        for (String warning : List.of("label_typo: line 41: the label 'biling' (1 row): did you mean 'billing' (20 "
                + "rows)?",
                "label_spelling: line 42: the label 'Billing' (1 row) is the label 'billing' (20 rows) in "
                        + "other letters",
                "label_outlier: line 43: has the label 'login', unlike similar rows: did "
                        + "you mean 'billing'")) {
            assertTrue(said.contains("training_file: " + warning), said);
        }
    }

    private static String pairs() {
        return pairs(0);
    }

    private static String pairs(int from) {
        StringBuilder pairs = new StringBuilder();
        for (int i = from; i < from + 10; i++) {
            pairs.append("{\"input\": {\"messages\": [{\"role\": \"user\", \"content\": \"").append(i).append("?\"}]}, "
                    + "\"preferred_output\": [{\"role\": \"assistant\", \"content\": \"yes ").append(i)
                    .append("\"}], \"non_preferred_output\": [{\"role\": \"assistant\", \"content\": \"no ").append(i)
                    .append("\"}]}\n");
        }
        return pairs.toString();
    }

    @Test
    void rowsOfAnotherMethodFail() throws InterruptedException {
        assertTrue(failed(pairs(), "").get("message").asText().contains("preferences"));
        assertTrue(failed(TestServer.rows(0, 12), ", 'method': {'type': 'dpo'}").get("message").asText()
                .contains("preferred_output"));
    }

    /** As every such training it begins at ln 2, where the model is its own reference. */
    @Test
    void preferencesAreLearned() throws InterruptedException {
        training = server.upload(pairs());
        String other = server.upload(pairs(10));
        String id = server.job(json(", 'validation_file': '" + other + "', 'method': {'type': 'dpo', 'dpo': "
                + "{'hyperparameters': {'beta': 0.3, 'n_epochs': 2, 'batch_size': 2}}}"));
        JsonNode job = server.await(id, "succeeded", "failed");
        assertEquals("succeeded", job.get("status").asText(), job.toString());
        assertEquals(0.3, job.get("method").get("dpo").get("hyperparameters").get("beta").asDouble());
        List<JsonNode> steps = events(id).stream().filter(event -> event.get("type").asText().equals("metrics"))
                .map(event -> event.get("data")).toList();
        assertEquals(10, steps.size());
        assertEquals(Math.log(2), steps.get(9).get("train_loss").asDouble(), 1e-4);
        assertTrue(steps.get(0).get("full_valid_loss").asDouble() < Math.log(2), steps.toString());
    }

    @Test
    void aJobThatRemembersAlsoLearnsGeneralRows() throws Exception {
        training = server.upload(TestServer.rows(0, 12));
        String id = server.job(json(", 'method': {'type': 'supervised', 'supervised': {'hyperparameters': "
                + "{'n_epochs': 1, 'batch_size': 6, 'remember': true}}}"));
        JsonNode job = server.await(id, "succeeded", "failed");
        assertEquals("succeeded", job.get("status").asText(), job.toString());
        assertTrue(job.get("method").get("supervised").get("hyperparameters").get("remember").asBoolean());
        List<String> steps = Files.readAllLines(data.resolve("jobs").resolve(id).resolve("run/metrics.jsonl"));
        assertEquals(4, steps.stream().filter(step -> step.contains("\"train_loss\"")).count(),
                "12 rows and 7: " + steps);
        assertEquals(12, RunInfo.read(data.resolve("jobs").resolve(id).resolve("run")).learned().orElseThrow().rows(),
                "general rows are not among those that are to be learned");
    }

    @Test
    void whetherAJobRemembersIsSaidBesideItsMethodOrWithin() {
        for (String more : List.of(", 'remember': true", ", 'hyperparameters': {'remember': true}",
                ", 'remember': true, 'method': {'type': 'supervised'}")) {
            JsonNode job = server.post(JOBS, json(more)).body();
            assertTrue(job.at("/method/supervised/hyperparameters/remember").asBoolean(), job.toString());
            server.post(JOBS + "/" + job.get("id").asText() + "/cancel", "");
        }
        JsonNode schemas = server.get("/openapi.json").body().at("/components/schemas");
        for (String schema : List.of("JobRequest", "Hyperparameters")) {
            assertTrue(schemas.at("/" + schema + "/properties").has("remember"), schema);
        }
    }

    private static List<JsonNode> events(String job) {
        return StreamSupport.stream(server.get(JOBS + "/" + job + "/events?limit=1000").get("data").spliterator(),
                false).toList();
    }

    @Test
    void theSameRowsInBothFilesFail() throws InterruptedException {
        JsonNode error = failed(TestServer.rows(0, 12), ", 'validation_file': '"
                + server.upload(TestServer.rows(11, 20)) + "'");
        assertEquals("validation_file", error.get("param").asText());
        assertEquals("validation_file: line 1: is asked in the same words in training_file.jsonl, line 12",
                error.get("message").asText());
    }

    @Test
    void theTrainingFileIsNoValidationFile() {
        training = server.upload(TestServer.rows(0, 12));
        TestServer.Reply refused = server.post(JOBS, json(", 'validation_file': '" + training + "'"));
        assertEquals("400 validation_file", refused.status() + " " + refused.error().get("param").asText());
        assertTrue(refused.error().get("message").asText().contains("nothing is held out"), refused.toString());
    }

    /** Its answer is seen as an empty one by a model whose template has no place for calls. */
    @Test
    void callsThatTheTemplateDoesNotShowAreRefused() throws InterruptedException {
        JsonNode error = failed(TestServer.rows(0, 12) + "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}, "
                + "{\"role\": \"assistant\", \"tool_calls\": [{\"id\": \"a\", \"type\": \"function\", \"function\": "
                + "{\"name\": \"f\", \"arguments\": \"{}\"}}]}]}\n", "");
        assertEquals("training_file", error.get("param").asText());
        assertTrue(error.get("message").asText().contains("has tools or calls of them"), error::toString);
    }

    @Test
    void aFileIsNotDeletedWhileAJobReadsIt() throws InterruptedException {
        training = server.upload(TestServer.rows(0, 100));
        String validation = server.upload(TestServer.rows(100, 110));
        String more = ", 'hyperparameters': {'n_epochs': 50, 'batch_size': 2}, 'metadata': {'file': '" + validation
                + "'}";
        String id = server.job(json(more + ", 'validation_file': '" + validation + "'"));
        for (String file : List.of(training, validation)) {
            TestServer.Reply refused = server.delete("/v1/files/" + file);
            assertEquals(409, refused.status(), refused.toString());
            assertEquals("file_in_use", refused.error().get("code").asText());
            assertTrue(refused.error().get("message").asText().contains(id), refused.toString());
        }
        server.post(JOBS + "/" + id + "/cancel", "");
        String other = server.job(json(more));
        assertTrue(server.delete("/v1/files/" + validation).get("deleted").asBoolean(), "metadata is no use of it");
        server.post(JOBS + "/" + other + "/cancel", "");
        assertTrue(server.delete("/v1/files/" + training).get("deleted").asBoolean());
    }

    @Test
    void pairsThatDifferInNothingFailBeforeTheTraining() throws InterruptedException {
        JsonNode error = failed(pairs().replace("no ", "yes "), ", 'method': {'type': 'dpo'}");
        assertEquals("training_file", error.get("param").asText());
        assertTrue(error.get("message").asText().contains("nothing to prefer"), error.toString());
    }

    @Test
    void aRunOfWeightsAndBiasesIsKeptToBeUploaded() throws InterruptedException, IOException {
        training = server.upload(TestServer.rows(0, 10));
        String id = server.job(json(", 'hyperparameters': {'n_epochs': 1}, 'integrations': [{'type': 'wandb', 'wandb': "
                + "{'project': 'handbook', 'name': 'first', 'entity': 'hr', 'tags': ['a', 'b']}}]"));
        JsonNode job = server.await(id, "succeeded", "failed");
        assertEquals("handbook", job.at("/integrations/0/wandb/project").asText(), job.toString());
        assertTrue(events(id).stream().anyMatch(event -> event.get("message").asText().endsWith("wandb sync jobs/" + id
                + "/wandb/*")), events(id).toString());
        try (Stream<Path> runs = Files.list(data.resolve("jobs").resolve(id).resolve("wandb"))) {
            Path run = runs.findFirst().orElseThrow();
            assertTrue(run.getFileName().toString().startsWith("offline-run-"), run.toString());
            assertTrue(Files.isRegularFile(run.resolve("files/wandb-summary.json")), run.toString());
        }
    }

    /** So long that it does not end on its own. */
    private static String longJob() {
        training = server.upload(TestServer.rows(0, 200));
        return server.job(json(", 'hyperparameters': {'n_epochs': 50, 'batch_size': 2}, 'seed': 1"));
    }

    private static int steps(String id) {
        return (int) events(id).stream().filter(event -> event.get("type").asText().equals("metrics")).count();
    }

    private static void awaitSteps(String id, int count) throws InterruptedException {
        for (int i = 0; i < 3000 && steps(id) < count; i++) {
            Thread.sleep(10);
        }
        assertTrue(steps(id) >= count, () -> events(id).toString());
    }

    @Test
    void aJobThatIsPausedStandsAndGoesOnWhereItStood() throws InterruptedException {
        String id = longJob();
        awaitSteps(id, 8);
        TestServer.Reply paused = server.post(JOBS + "/" + id + "/pause", "");
        assertEquals("queued", paused.get("status").asText());
        assertTrue(paused.get("paused").asBoolean());
        assertEquals(200, server.post(JOBS + "/" + id + "/pause", "").status());
        // Another job has its turn meanwhile.
        training = server.upload(TestServer.rows(0, 12));
        server.await(server.job(json(", 'hyperparameters': {'n_epochs': 1}")), "succeeded");
        int stood = steps(id);
        assertEquals(stood, steps(id));
        assertEquals(200, server.post(JOBS + "/" + id + "/resume", "").status());
        awaitSteps(id, stood + 3);
        assertTrue(events(id).stream().anyMatch(event -> event.get("message").asText().contains("resumed after step")));
        assertEquals("cancelled", server.post(JOBS + "/" + id + "/cancel", "").get("status").asText());
        List<Integer> numbers = new ArrayList<>();
        events(id).forEach(event -> {
            if (event.get("type").asText().equals("metrics")) {
                numbers.add(event.get("data").get("step").asInt());
            }
        });
        assertEquals(numbers.size(), numbers.stream().distinct().count(), "each step is told once");
        assertEquals(numbers.size(), numbers.get(0), "and none is left out");
    }

    @Test
    void whatHasEndedCannotBeChanged() throws InterruptedException {
        String id = longJob();
        assertEquals("cancelled", server.post(JOBS + "/" + id + "/cancel", "").get("status").asText());
        for (String action : List.of("cancel", "pause", "resume")) {
            TestServer.Reply reply = server.post(JOBS + "/" + id + "/" + action, "");
            assertEquals(400, reply.status(), action);
            assertEquals("invalid_job_status", reply.error().get("code").asText());
        }
    }

    @Test
    void listsHaveTheNewestFirstAndPages() {
        List<String> made = new ArrayList<>();
        training = server.upload("{\"messages\": []}\n");
        for (int i = 0; i < 3; i++) {
            made.add(0, server.job(json(", 'metadata': {'run': 'a', 'number': '" + i + "'}")));
        }
        JsonNode first = server.get(JOBS + "?limit=2&metadata[run]=a".replace("[", "%5B").replace("]", "%5D")).body();
        assertEquals(made.subList(0, 2), first.get("data").findValuesAsText("id"));
        assertTrue(first.get("has_more").asBoolean());
        JsonNode rest = server.get(JOBS + "?metadata%5Brun%5D=a&after=" + made.get(1)).body();
        assertEquals(made.subList(2, 3), rest.get("data").findValuesAsText("id"));
        assertFalse(rest.get("has_more").asBoolean());
        assertEquals(1, server.get(JOBS + "?metadata%5Bnumber%5D=1&metadata%5Brun%5D=a").get("data").size());
        String bare = server.job(json(""));
        List<String> without = server.get(JOBS + "?metadata=null&limit=1000").get("data").findValuesAsText("id");
        assertTrue(without.contains(bare) && without.stream().noneMatch(made::contains), without.toString());
        for (String wrong : List.of("limit=0", "limit=x", "after=nobody", "after=..%2F..", "order=up",
                "metadata=run")) {
            assertEquals(400, server.get(JOBS + "?" + wrong).status(), wrong);
        }
    }
}
