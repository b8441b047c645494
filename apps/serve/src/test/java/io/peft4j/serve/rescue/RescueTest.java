package io.peft4j.serve.rescue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.weight.BlockType;
import io.peft4j.eval.statistics.Interval;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tuned models come home from a service, whatever of it is broken. */
class RescueTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path MODEL = Path.of("../../tests/fixtures/tiny-llama");
    private static final RescueOptions FEW = RescueOptions.defaults().withQuestions(3).withSamples(2)
            .withMaxNewTokens(6);

    @TempDir
    Path folder;

    private static BaseModel base() {
        return BaseModel.load(MODEL.toString(), ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32));
    }

    private static Service service(FakeService fake) {
        return Service.at(fake.url()).withKey("secret").withTries(3, Duration.ofMillis(1));
    }

    private static RescuedModel find(RescueReport report, String name) {
        return report.models().stream().filter(model -> model.model().name().equals(name)).findFirst().orElseThrow();
    }

    @Test
    void theInventoryHasEveryTunedModelWithItsJobAndTheDaysLeft() throws IOException {
        try (FakeService fake = new FakeService()) {
            Inventory inventory = Rescue.inventory(service(fake));

            assertEquals(List.of(FakeService.ALIVE, FakeService.DEAD, FakeService.BARE),
                    inventory.models().stream().map(TunedModel::name).toList());
            assertEquals(3, inventory.jobs());
            TunedModel alive = inventory.models().get(0);
            assertEquals(OptionalLong.of(2), alive.daysLeft(Instant.ofEpochSecond(FakeService.SHUTDOWN - 2 * 86_400)));
            assertEquals(1, alive.epochs().orElseThrow());
            assertTrue(alive.learningRateMultiplier().isEmpty(), "auto is no number");
        }
    }

    @Test
    void anAddressWhereNobodyAnswersIsSaidOnce() throws IOException {
        Service gone;
        String address;
        try (FakeService fake = new FakeService()) {
            address = fake.url();
            gone = service(fake);
        }
        String message = assertThrows(ServiceException.class, () -> Rescue.inventory(gone)).getMessage();
        assertEquals("cannot list what the service has: cannot connect to " + address
                + "; check the address and the network", message);
    }

    @Test
    void rescuedModelIsComparedWithItsGoldenAnswersAndFaultsAreNamed() throws IOException {
        try (FakeService fake = new FakeService(); BaseModel base = base()) {
            RescueReport report = Rescue.from(service(fake), base, folder).run(FEW, message -> {
            });

            RescuedModel alive = find(report, FakeService.ALIVE);
            assertTrue(alive.isRescued() && alive.faults().isEmpty(), alive.faults().toString());
            assertEquals(24, alive.rows());
            ModelComparison comparison = alive.comparison().orElseThrow();
            assertEquals(1, comparison.before(), "the old model answers as it learned");
            assertEquals(0, comparison.after(), "one epoch of a random model");
            assertEquals(comparison.questions(), comparison.lost().size());
            RescuedModel dead = find(report, FakeService.DEAD);
            assertTrue(dead.isRescued(), "its data are there");
            assertTrue(dead.faults().get(0).contains("was shut down"), dead.faults().toString());
            RescuedModel bare = find(report, FakeService.BARE);
            assertTrue(!bare.isRescued() && bare.faults().get(0).contains("No such File object"),
                    bare.faults().toString());
            assertTrue(!report.isComplete());
            try (PeftModel model = PeftModel.load(base, alive.adapter().orElseThrow())) {
                assertTrue(model.trainableParameterCount() > 0);
            }
            String page = Files.readString(folder.resolve(RescueReport.PAGE));
            assertTrue(page.contains(FakeService.ALIVE) && page.contains("Where is box"), "the page");
            Path golden = folder.resolve("models").resolve(alive.model().folder()).resolve("golden.jsonl");
            assertEquals(2 * comparison.questions(), Files.readAllLines(golden).size());
        }
    }

    @Test
    void answersThatAreFewAndShortAreChosenAndNotWritten() throws IOException {
        try (FakeService fake = new FakeService(3); BaseModel base = base()) {
            RescueReport report = Rescue.from(service(fake), base, folder).run(
                    FEW.withOnly(List.of(FakeService.ALIVE)).withDecisions(true), message -> {
                    });

            RescuedModel alive = report.models().get(0);
            assertTrue(alive.faults().isEmpty(), alive.faults().toString());
            ModelComparison comparison = alive.comparison().orElseThrow();
            assertEquals(1, comparison.before(), "the old model answers as it learned");
            Path own = folder.resolve("models").resolve(alive.model().folder());
            assertEquals(own.resolve("decision"), alive.adapter().orElseThrow());
            try (PeftModel model = PeftModel.load(base, own.resolve("decision"))) {
                List<String> options = model.decisions().plainQuestion().orElseThrow().names();
                List<String> answers = new ArrayList<>();
                for (String line : Files.readAllLines(own.resolve("decided.jsonl"))) {
                    answers.add(JSON.readTree(line).path("answer").asText());
                }
                assertEquals(2 * comparison.questions(), answers.size());
                assertTrue(options.size() == 3 && options.containsAll(answers), answers + " of " + options);
            }
            assertTrue(Files.readString(folder.resolve(RescueReport.PAGE)).contains(comparison.verdict()));
        }
    }

    @Test
    void theVerdictFollowsFromTheIntervalOfTheDifference() {
        assertTrue(verdict(-0.4, -0.1).startsWith("do not take its place"));
        assertTrue(verdict(-0.05, 0.2).startsWith("takes its place"));
        assertTrue(verdict(-0.06, 0.2).startsWith("not decided"));
    }

    private static String verdict(double low, double high) {
        return new ModelComparison(10, 0, 0, new Interval(low, high, 0.95), List.of(), List.of(), 0, 0).verdict();
    }

    @Test
    void aRescueWithoutTrainingIsCompleteWhenDataAndAnswersAreThere() throws IOException {
        try (FakeService fake = new FakeService()) {
            RescueOptions fetching = FEW.withTrain(false);
            RescueReport alive = Rescue.from(service(fake), folder.resolve("alive")).run(
                    fetching.withOnly(List.of(FakeService.ALIVE)), message -> {
                    });
            assertTrue(alive.isComplete(), alive.toJson().toString());
            assertTrue(alive.models().get(0).adapter().isEmpty(), "nothing is trained");
            assertTrue(Files.readString(folder.resolve("alive").resolve(RescueReport.PAGE)).contains(
                    "1 of 1 tuned models have their data and answers here"));
            // Its data are there, its answers are not.
            RescueReport dead = Rescue.from(service(fake), folder.resolve("dead")).run(
                    fetching.withOnly(List.of(FakeService.DEAD)), message -> {
                    });
            assertTrue(!dead.isComplete());
            Rescue rescue = Rescue.from(service(fake), folder.resolve("trained"));
            assertThrows(ConfigurationException.class, () -> rescue.run(FEW, message -> {
            }));
        }
    }

    @Test
    void aSecondRunAsksAndTrainsNothingAgain() throws IOException {
        try (FakeService fake = new FakeService(); BaseModel base = base()) {
            RescueOptions one = FEW.withOnly(List.of(FakeService.ALIVE));
            RescueReport first = Rescue.from(service(fake), base, folder).run(one, message -> {
            });
            int asked = fake.answers();
            Path weights = first.models().get(0).adapter().orElseThrow().resolve("adapter_model.safetensors");
            var trained = Files.getLastModifiedTime(weights);

            RescueReport second = Rescue.from(service(fake), base, folder).run(one, message -> {
            });

            assertEquals(asked, fake.answers());
            assertEquals(trained, Files.getLastModifiedTime(weights));
            assertEquals(first.toJson(), second.toJson());
        }
    }

    @Test
    void aMergedFileStandsBesideTheAdapterUnlessItLosesTheTuning() throws IOException {
        try (FakeService fake = new FakeService(); BaseModel base = base()) {
            RescueOptions one = FEW.withOnly(List.of(FakeService.ALIVE));
            Path adapter = Rescue.from(service(fake), base, folder).run(one, message -> {
            }).models().get(0).adapter().orElseThrow();
            RescueOptions.Merge proved = new RescueOptions.Merge(BlockType.F32, OptionalDouble.of(2));

            RescueReport refused = Rescue.from(service(fake), base, folder).run(one.withMerge(proved), message -> {
            });
            Path file = adapter.resolveSibling("merged.gguf");
            assertTrue(!Files.exists(file) && !refused.isComplete(),
                    "none is right");
            assertTrue(refused.models().get(0).merged().orElseThrow().told().startsWith("nothing is proved: "));

            Path asked = Files.writeString(folder.resolve("asked.jsonl"), question(base, adapter));
            RescueReport merged = Rescue.from(service(fake), base, folder).run(one.withPrompts(asked)
                    .withMerge(proved), message -> {
                    });
            assertTrue(merged.models().get(0).merged().orElseThrow().told().startsWith("1 of 1 (100 %) right before, "
                    + "1 of 1 (100 %) after"), merged.toJson().toString());
            assertTrue(Files.exists(file) && merged.isComplete(), merged.toJson().toString());

            RescueReport again = Rescue.from(service(fake), base, folder).run(one.withMerge(proved), message -> {
            });
            Path former = file.resolveSibling("merged-former.gguf");
            assertTrue(!Files.exists(file) && Files.exists(former), "an earlier file is not taken for this one");
            assertTrue(again.models().get(0).merged().orElseThrow().told().endsWith("; the file of an earlier rescue "
                    + "is " + former + " now"), again.toJson().toString());
            assertThrows(ConfigurationException.class, () -> one.withTrain(false).withMerge(proved));
        }
    }

    /** A chat whose right answer is what the new model answers. */
    private static String question(BaseModel base, Path adapter) {
        try (PeftModel model = base.withAdapter(adapter)) {
            return "{\"messages\": [{\"role\": \"user\", \"content\": \"Where?\"}, {\"role\": \"assistant\", "
                    + "\"content\": " + TextNode.valueOf(model.generate("Where?").strip()) + "}]}\n";
        }
    }

    @Test
    void assertionsAreAGateForTheNewModel() throws IOException {
        Path file = folder.resolve("promptfoo.json");
        Files.writeString(file, """
                {"prompts": ["Where is {{thing}}?"], "tests": [{"vars": {"thing": "box 3"}, "assert": [
                 {"type": "not-contains", "value": "no such words"}, {"type": "regex", "value": "room \\\\d+"}]}]}
                """);
        try (FakeService fake = new FakeService(); BaseModel base = base()) {
            RescueReport report = Rescue.from(service(fake), base, folder.resolve("out")).run(FEW
                    .withOnly(List.of(FakeService.ALIVE)).withAssertions(file), message -> {
                    });

            Assertions.Outcome outcome = report.models().get(0).assertions().orElseThrow();
            assertEquals(1, outcome.passed());
            assertEquals(1, outcome.failures().size());
            assertTrue(outcome.failures().get(0).startsWith("Where is box 3? must regex"), outcome.failures().get(0));
            assertTrue(!report.isComplete());
        }
    }

    @Test
    void anAnswerIsRightWhenItsValueEqualsTheReferences() {
        var item = io.peft4j.eval.task.EvaluationItem.reference("What is the notice period of a Consultant?",
                "A Consultant has a notice period of 90 days.");

        assertTrue(item.isAnsweredBy("The notice period of a Consultant is 90 days."));
        assertTrue(!item.isAnsweredBy("The notice period of a Consultant is 60 days."));
        assertTrue(!item.isAnsweredBy("The notice period of a Consultant is 90 weeks."));
        assertTrue(item.isAnsweredBy("90 days"));
        assertTrue(!item.isAnsweredBy("90 weeks"));
    }
}
