package io.peft4j.serve.rescue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.MultipartField;
import com.openai.models.files.FileCreateParams;
import com.openai.models.files.FilePurpose;
import com.openai.models.finetuning.jobs.FineTuningJob;
import com.openai.models.finetuning.jobs.JobCreateParams;
import com.openai.models.finetuning.methods.SupervisedHyperparameters;
import com.openai.models.finetuning.methods.SupervisedMethod;
import io.peft4j.core.kernel.KernelSelection;
import io.peft4j.eval.VerdictOptions;
import io.peft4j.eval.judge.Endpoint;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.hub.ModelLocator;
import io.peft4j.serve.FineTuningServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Our own server plays the service that is left, with a service's troubles before it. */
@Tag("full")
class RescueFromServerTest {
    private static final Path MODEL = Path.of("../../tests/fixtures/tiny-llama");

    @TempDir
    Path folder;

    /** The tiny model, with room for what a judge is shown. */
    private Path model() throws IOException {
        Path model = Files.createDirectories(folder.resolve("tiny-llama"));
        try (Stream<Path> files = Files.list(MODEL)) {
            for (Path file : files.toList()) {
                Files.copy(file, model.resolve(file.getFileName()));
            }
        }
        Path config = model.resolve("config.json");
        Files.writeString(config, Files.readString(config).replaceAll("(\"max_position_embeddings\": *)\\d+",
                "$12048"));
        return model;
    }

    private static String upload(OpenAIClient client, String name) {
        String rows = IntStream.range(0, 12).mapToObj(FakeService::row).collect(Collectors.joining("\n"));
        InputStream stream = new ByteArrayInputStream(rows.getBytes(StandardCharsets.UTF_8));
        return client.files().create(FileCreateParams.builder().purpose(FilePurpose.FINE_TUNE)
                .file(MultipartField.<InputStream>builder().value(stream).filename(name).build()).build()).id();
    }

    /** Tunes a model there; gives its name. */
    private static String tune(OpenAIClient client, String file, String suffix) throws InterruptedException {
        String id = client.fineTuning().jobs().create(JobCreateParams.builder().model("tiny-llama").trainingFile(file)
                .suffix(suffix).seed(7).method(JobCreateParams.Method.builder()
                        .type(JobCreateParams.Method.Type.SUPERVISED).supervised(SupervisedMethod.builder()
                                .hyperparameters(SupervisedHyperparameters.builder().nEpochs(1).batchSize(4).build())
                                .build())
                        .build())
                .build()).id();
        FineTuningJob job = client.fineTuning().jobs().retrieve(id);
        for (int i = 0; i < 3000 && job.finishedAt().isEmpty(); i++) {
            Thread.sleep(20);
            job = client.fineTuning().jobs().retrieve(id);
        }
        return job.fineTunedModel().orElseThrow();
    }

    @Test
    void rescueFetchesWhatIsLeftDespiteFailuresAndNamesTheRest() throws Exception {
        Path assertions = Files.writeString(folder.resolve("assertions.json"), """
                [{"vars": {"question": "Where is box 3?"}, "assert": [
                  {"type": "llm-rubric", "value": "names a room"}, {"type": "not-contains", "value": "no such words"}]}]
                """);
        try (BaseModel base = BaseModel.load(ModelLocator.fromEnvironment().locate(model().toString()),
                ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32), KernelSelection.named("naive", 1));
                FineTuningServer server = FineTuningServer.builder(base, folder.resolve("service")).apiKey("secret")
                        .verdict(VerdictOptions.NONE).start();
                FaultyProxy service = new FaultyProxy(server.url() + "/v1")) {
            OpenAIClient client = OpenAIOkHttpClient.builder().baseUrl(server.url() + "/v1").apiKey("secret").build();
            String file = upload(client, "boxes.jsonl");
            String alive = tune(client, file, "alive");
            String dead = tune(client, file, "dead");
            service.withoutModel(dead);
            String lost = upload(client, "lost.jsonl");
            String bare = tune(client, lost, "bare");
            service.withoutFile(lost);

            RescueReport report = Rescue.from(Service.at(service.url()).withKey("secret")
                    .withTries(4, Duration.ofMillis(5)), base, folder.resolve("rescued")).run(RescueOptions.defaults()
                            .withQuestions(2).withSamples(2).withMaxNewTokens(6).withAssertions(assertions)
                            .withJudge(Endpoint.of(
                                    server.url() + "/v1", "tiny-llama").withKey("secret")),
                            message -> {
                            });

            assertEquals(List.of(), report.faults());
            RescuedModel whole = find(report, alive);
            assertEquals(List.of(), whole.faults());
            assertEquals(12, whole.rows());
            assertEquals(2, whole.answers(), "one row is held out");
            assertEquals(1, whole.model().epochs().orElseThrow());
            assertTrue(Files.exists(whole.adapter().orElseThrow().resolve("adapter_model.safetensors")));
            Assertions.Outcome graded = whole.assertions().orElseThrow();
            assertEquals(2, graded.passed() + graded.failures().size());
            assertTrue(graded.failures().stream().noneMatch(text -> text.contains("the judge ")), "judged: " + graded);
            RescuedModel silent = find(report, dead);
            assertTrue(silent.adapter().isPresent() && silent.answers() == 0, silent.faults().toString());
            assertTrue(silent.faults().get(0).contains("was shut down"), silent.faults().toString());
            RescuedModel without = find(report, bare);
            assertTrue(without.adapter().isEmpty() && without.faults().get(0).contains("No such File"),
                    without.faults().toString());
            assertTrue(service.refusals() > 0 && service.breaks() == 1, "there was trouble: " + service.refusals()
                    + " refusals, " + service.breaks() + " broken connections");
            client.close();
        }
    }

    private static RescuedModel find(RescueReport report, String name) {
        return report.models().stream().filter(model -> model.model().name().equals(name)).findFirst().orElseThrow();
    }
}
