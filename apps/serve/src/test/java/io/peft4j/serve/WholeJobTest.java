package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.MultipartField;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.UnauthorizedException;
import com.openai.models.files.FileCreateParams;
import com.openai.models.files.FileObject;
import com.openai.models.files.FilePurpose;
import com.openai.models.finetuning.jobs.FineTuningJob;
import com.openai.models.finetuning.jobs.FineTuningJobEvent;
import com.openai.models.finetuning.jobs.JobCreateParams;
import com.openai.models.finetuning.jobs.checkpoints.FineTuningJobCheckpoint;
import com.openai.models.finetuning.methods.SupervisedHyperparameters;
import com.openai.models.finetuning.methods.SupervisedMethod;
import io.peft4j.core.io.FolderLock;
import io.peft4j.eval.VerdictOptions;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A job from its files to its model, by OpenAI's own client for Java, which knows no more than an address. */
@Tag("jdk")
class WholeJobTest {
    @TempDir
    Path data;

    private static OpenAIClient client(TestServer server) {
        return OpenAIOkHttpClient.builder().baseUrl(server.url() + "/v1").apiKey("sk-any").maxRetries(0).build();
    }

    private static String upload(OpenAIClient client, String rows) {
        InputStream stream = new ByteArrayInputStream(rows.getBytes(StandardCharsets.UTF_8));
        FileObject file = client.files().create(FileCreateParams.builder().purpose(FilePurpose.FINE_TUNE)
                .file(MultipartField.<InputStream>builder().value(stream).filename("handbook.jsonl").build()).build());
        assertEquals("handbook.jsonl", file.filename());
        assertEquals(rows.length(), file.bytes());
        return file.id();
    }

    private static JobCreateParams.Builder job(String training) {
        return JobCreateParams.builder().model("tiny-llama").trainingFile(training).seed(7)
                .method(JobCreateParams.Method.builder().type(JobCreateParams.Method.Type.SUPERVISED)
                        .supervised(SupervisedMethod.builder().hyperparameters(SupervisedHyperparameters.builder()
                                .nEpochs(2).batchSize(4).build()).build())
                        .build());
    }

    private static FineTuningJob await(OpenAIClient client, String id) throws InterruptedException {
        FineTuningJob job = client.fineTuning().jobs().retrieve(id);
        for (int i = 0; i < 3000 && job.finishedAt().isEmpty(); i++) {
            Thread.sleep(20);
            job = client.fineTuning().jobs().retrieve(id);
        }
        return job;
    }

    @Test
    void aJobGivesEventsCheckpointsFilesAndAModel() throws Exception {
        try (TestServer server = TestServer.start(data, builder -> builder.verdict(new VerdictOptions(2, 2, 4)))) {
            OpenAIClient client = client(server);
            String id = client.fineTuning().jobs().create(job(upload(client, TestServer.rows(0, 12)))
                    .validationFile(upload(client, TestServer.rows(20, 24))).suffix("handbook").build()).id();
            FineTuningJob job = await(client, id);
            assertEquals(FineTuningJob.Status.SUCCEEDED, job.status(), job.toString());
            String model = job.fineTunedModel().orElseThrow();
            assertTrue(model.matches("ft:tiny-llama:peft4j:handbook:[A-Za-z0-9]{8}"), model);
            assertTrue(job.trainedTokens().orElseThrow() > 100);
            assertEquals(7, job.seed());

            List<FineTuningJobEvent> events = client.fineTuning().jobs().listEvents(id).autoPager().stream().toList();
            assertEquals(6, events.stream().filter(event -> event.type().equals(Optional.of(
                    FineTuningJobEvent.Type.METRICS))).count());
            assertEquals("The job has successfully completed", events.get(0).message());
            List<FineTuningJobCheckpoint> checkpoints = client.fineTuning().jobs().checkpoints().list(id).autoPager()
                    .stream().toList();
            assertEquals(List.of(6L, 3L), checkpoints.stream().map(FineTuningJobCheckpoint::stepNumber).toList());
            assertTrue(checkpoints.get(0).metrics().fullValidLoss().isPresent());
            double accuracy = checkpoints.get(0).metrics().fullValidMeanTokenAccuracy().orElseThrow();

            for (String name : List.of(model, checkpoints.get(1).fineTunedModelCheckpoint())) {
                assertEquals(name, client.models().retrieve(name).id());
                assertEquals("user", client.models().retrieve(name).ownedBy(), "as in the list of all");
            }
            String table = new String(client.files().content(job.resultFiles().get(0)).body().readAllBytes(),
                    StandardCharsets.UTF_8);
            assertTrue(table.startsWith("step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,"),
                    table);
            assertEquals(7, table.lines().count());
            for (String line : table.lines().skip(1).toList()) {
                double learned = Double.parseDouble(line.split(",")[2]);
                assertTrue(learned >= 0 && learned <= 1, line);
            }
            assertEquals(accuracy, Double.parseDouble(table.lines().skip(6).findFirst().orElseThrow().split(",")[4]));
            assertEquals(List.of("step_metrics.csv", "data_report.json", "data_report.html", "verdict.json",
                    "verdict.html"),
                    job.resultFiles().stream().map(file -> client.files().retrieve(file).filename())
                            .toList());
            JsonNode verdict = new ObjectMapper().readTree(client.files().content(job.resultFiles().get(3)).body())
                    .get("verdict");
            List<String> untrained = new ArrayList<>();
            verdict.get("without_training").forEach(way -> untrained.add(way.get("arm").asText()));
            assertEquals(List.of("few-shot", "lookup"), untrained, "as evaluate compares");
            String words = "Verdict: " + verdict.get("words").asText().toLowerCase(Locale.ROOT) + ": "
                    + verdict.get("sentence").asText();
            assertTrue(events.stream().anyMatch(event -> event.message().replaceAll("\n(- | +)", " ").equals(words)),
                    words);
            assertTrue(client.models().delete(model).deleted());
            assertThrows(NotFoundException.class, () -> client.models().retrieve(model));
        }
    }

    @Test
    void aFileGetsTheLifetimeThatTheClientGivesIt() {
        try (TestServer server = TestServer.start(data)) {
            FileObject file = client(server).files().create(FileCreateParams.builder().purpose(FilePurpose.FINE_TUNE)
                    .file(MultipartField.<InputStream>builder().value(new ByteArrayInputStream(new byte[] {'{', '}'}))
                            .filename("a.jsonl").build())
                    .expiresAfter(FileCreateParams.ExpiresAfter.builder().seconds(3600).build()).build());
            assertEquals(file.createdAt() + 3600, file.expiresAt().orElseThrow());
        }
    }

    /** A job that no server has begun. */
    private String queued() throws Exception {
        try (TestServer gone = TestServer.start(data, builder -> builder.jobsAtOnce(0))) {
            String job = gone.job("{\"model\": \"tiny-llama\", \"training_file\": \"" + gone.upload(TestServer.rows(0,
                    12)) + "\", \"hyperparameters\": {\"n_epochs\": 1}}");
            gone.await(job, "queued");
            return job;
        }
    }

    /** No process of this host can see whether a process of another lives; that its lease has run out tells. */
    @Test
    void aJobThatAServerOfAnotherHostHeldGoesOnHere() throws Exception {
        String job = queued();
        Path run = Files.createDirectories(data.resolve("jobs").resolve(job).resolve("run"));
        Files.writeString(run.resolve(FolderLock.FILE), "4242 another-host 2026-01-01T00:00:00Z " + UUID.randomUUID()
                + "\n");
        try (TestServer server = TestServer.start(data)) {
            assertEquals("succeeded", server.await(job, "succeeded", "failed").get("status").asText());
        }
    }

    /** As one that was thought dead and lives does, whenever it continues. */
    @Test
    void aJobWaitsForWhoeverWritesToItsFolder() throws Exception {
        String job = queued();
        Path run = Files.createDirectories(data.resolve("jobs").resolve(job).resolve("run"));
        try (TestServer server = TestServer.start(data)) {
            for (int turn = 0; turn < 100; turn++) {
                try (FolderLock lock = FolderLock.take(run)) {
                    Thread.sleep(10);
                } catch (FolderLock.InUseException e) {
                    // The job's turn.
                }
                Thread.sleep(10);
            }
            assertEquals("succeeded", server.await(job, "succeeded", "failed").get("status").asText());
        }
    }

    /** What it saved would stand in the way of the worker that has the job now, which begins from a checkpoint. */
    @Test
    void aWorkerThatLostItsJobSavesNoAdapter() throws Exception {
        try (TestServer server = TestServer.start(data)) {
            String job = server.job("{\"model\": \"tiny-llama\", \"training_file\": \"" + server.upload(TestServer.rows(
                    0, 12)) + "\", \"hyperparameters\": {\"n_epochs\": 50, \"batch_size\": 1}}");
            Path run = data.resolve("jobs").resolve(job).resolve("run");
            for (int i = 0; i < 6000 && !Files.exists(run.resolve("checkpoint-5")); i++) {
                Thread.sleep(5);
            }
            try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + data.resolve("state.db"));
                    Statement statement = connection.createStatement()) {
                statement.execute("PRAGMA busy_timeout = 10000");
                statement.execute("UPDATE jobs SET worker = 'another', fence = fence + 1");
            }
            for (int i = 0; i < 6000 && Files.exists(run.resolve(FolderLock.FILE)); i++) {
                Thread.sleep(5);
            }
            assertFalse(Files.exists(run.resolve(FolderLock.FILE)), "it has stopped");
            assertFalse(Files.exists(run.resolve("adapter_config.json")));
            assertEquals("running", server.get("/v1/fine_tuning/jobs/" + job).get("status").asText());
        }
    }

    @Test
    void errorsAreTheClientsOwnExceptions() {
        try (TestServer server = TestServer.start(data)) {
            OpenAIClient client = client(server);
            assertThrows(NotFoundException.class, () -> client.fineTuning().jobs().retrieve("ftjob-none"));
            assertThrows(NotFoundException.class, () -> client.files().retrieve("../../etc/passwd"));
            BadRequestException noFile = assertThrows(BadRequestException.class, () -> client.fineTuning().jobs()
                    .create(job("file-none").build()));
            assertEquals("training_file", noFile.param().orElseThrow());
            String file = upload(client, TestServer.rows(0, 12));
            BadRequestException reinforcement = assertThrows(BadRequestException.class, () -> client.fineTuning()
                    .jobs().create(JobCreateParams.builder().model("tiny-llama").trainingFile(file)
                            .putAdditionalBodyProperty("method", JsonValue.from(Map.of("type", "reinforcement")))
                            .build()));
            assertEquals("method.reinforcement.grader", reinforcement.param().orElseThrow());
            assertThrows(NotFoundException.class, () -> client.fineTuning().jobs().create(job(file).model("gpt-4o")
                    .build()));
        }
    }

    @Test
    void aWrongKeyIsTheClientsOwnException() {
        try (TestServer server = TestServer.start(data, builder -> builder.apiKey("sk-right"))) {
            UnauthorizedException e = assertThrows(UnauthorizedException.class, () -> client(server).models().list());
            assertEquals("invalid_api_key", e.code().orElseThrow());
            assertFalse(e.getMessage().contains("sk-"), e.getMessage());
            OpenAIClient right = OpenAIOkHttpClient.builder().baseUrl(server.url() + "/v1").apiKey("sk-right").build();
            assertEquals(List.of("tiny-llama"), right.models().list().data().stream().map(model -> model.id())
                    .collect(Collectors.toList()));
        }
    }
}
