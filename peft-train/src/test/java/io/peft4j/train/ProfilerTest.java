package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.train.Profiler.Section;
import io.peft4j.train.runs.TrainingPage;
import io.peft4j.train.runs.TrainingProfile;
import io.peft4j.train.runs.TrainingRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the time of a training went. */
class ProfilerTest {
    private static final List<String> OF_AN_UPDATE = List.of("data", "products", "adapters", "attention", "norms",
            "activation", "loss", "passes", "optimizer", "metrics", "other");

    @TempDir
    private Path folder;

    @Test
    void eachSectionHasItsOwnTimeAndAllAddUpToTheWhole() {
        AtomicLong clock = new AtomicLong(5);
        try (Tiny tiny = new Tiny()) {
            Profiler profiler = new Profiler(true, clock::get);
            clock.addAndGet(1_000_000_000L);
            profiler.begin();
            long second = 1;
            for (Section section : List.of(Section.ENCODING, Section.DATA, Section.PASSES, Section.OPTIMIZER,
                    Section.DATA, Section.OTHER)) {
                profiler.enter(section);
                clock.addAndGet(second++ * 1_000_000_000L);
            }
            TrainingProfile profile = profiler.end(tiny.model, 2).orElseThrow();
            assertEquals(21, profile.total(), 1e-9);
            assertEquals(7, profile.seconds().get("data"));
            assertEquals(3, profile.seconds().get("passes"));
            assertEquals(0, profile.seconds().get("evaluation"));
            assertEquals(6, profile.seconds().get("other"));
            assertEquals(4.0 / 21, profile.share("optimizer"), 1e-9);
            profiler.begin();
            assertEquals(0, profiler.end(tiny.model, 0).orElseThrow().total());
        }
    }

    @Test
    void thePartsOfATrainingAddUpToItsTimeAndItsPageShowsThem() throws IOException {
        Path output = folder.resolve("run");
        long begin = System.nanoTime();
        TrainingResult result = Runs.train(output, b -> b.profile(true).checkpointEverySteps(4));
        double wall = (System.nanoTime() - begin) / 1e9;
        TrainingProfile profile = result.profile().orElseThrow();
        assertEquals(Runs.STEPS, profile.steps());
        for (String part : List.of("products", "attention", "norms", "activation", "loss", "passes", "optimizer",
                "metrics", "evaluation", "checkpoints")) {
            assertTrue(profile.seconds().get(part) > 0, part + " in " + profile);
        }
        assertTrue(profile.total() <= wall && profile.total() >= result.seconds(), profile.total() + " s of " + wall);
        double updates = OF_AN_UPDATE.stream().mapToDouble(profile.seconds()::get).sum();
        assertTrue(updates >= result.steps().stream().mapToDouble(StepMetrics::seconds).sum(), profile.toString());
        assertEquals(profile.seconds(), new ObjectMapper().convertValue(new ObjectMapper().readTree(output.resolve(
                TrainingProfile.FILE).toFile()).path("seconds"), Map.class));
        String page = Files.readString(output.resolve(TrainingPage.FILE));
        assertTrue(page.contains("Where the ") && page.contains("checkpoints"), page);
        assertEquals(Optional.of(profile), TrainingRecord.read(output).profile());
        // What is there is of this training or of none.
        Runs.train(output, b -> b.output(output, IfExists.OVERWRITE));
        assertFalse(Files.exists(output.resolve(TrainingProfile.FILE)));
        assertFalse(Files.readString(output.resolve(TrainingPage.FILE)).contains("Where the "));
    }

    @Test
    void withoutAProfileKernelsStayAndValuesAreTheSame() {
        try (Kernels kernels = new NaiveKernels()) {
            assertSame(kernels, new Profiler(false).around(kernels));
            assertNotSame(kernels, new Profiler(true).around(kernels));
        }
        List<float[]> values = new ArrayList<>();
        Stream.of(false, true).forEach(profiled -> {
            try (Tiny tiny = new Tiny(0.2, new NaiveKernels())) {
                TrainingResult result = tiny.trainer().profile(profiled).build().train(Runs.EXAMPLES);
                assertEquals(profiled, result.profile().isPresent());
                values.add(tiny.values());
            }
        });
        assertArrayEquals(values.get(0), values.get(1));
    }

    @Test
    void adviceFollowsFromAShareAndTheMachine() {
        TrainingProfile profile = new TrainingProfile(Map.of("products", 62.0, "evaluation", 30.0, "other", 8.0), 10,
                List.of());
        Optional<Integer> all = Optional.of(4);
        List<String> advice = new Profiler.Machine(30, 0, true, Optional.of(2), 4, 96, 0.38).advice(profile);
        assertEquals(5, advice.size());
        assertTrue(advice.get(0).startsWith("62 % are products with frozen weights, of all 30 layers: adapters on "
                + "the upper half alone (layers 15-29)"), advice.get(0));
        assertTrue(advice.get(1).startsWith("62 % are products with frozen weights in f32"), advice.get(1));
        assertTrue(advice.get(2).contains("at 38 % of the rate that this machine has with large matrices, with 96 "
                + "tokens at once"), advice.get(2));
        assertTrue(advice.get(3).startsWith("62 % are operations on 2 threads of 4 processors"), advice.get(3));
        assertTrue(advice.get(4).startsWith("30 % are evaluation: measure"), advice.get(4));
        assertEquals(List.of(advice.get(4)), new Profiler.Machine(30, 15, false, all, 4, 800, 1).advice(profile));
        TrainingProfile others = new TrainingProfile(Map.of("products", 10.0, "other", 90.0), 10, List.of());
        assertEquals(List.of(), new Profiler.Machine(30, 0, true, Optional.of(2), 4, 96, 0.38).advice(others));
    }

    @Test
    void aDamagedProfileIsNamed() throws IOException {
        Path output = folder.resolve("run");
        Runs.train(output, b -> b.profile(true));
        Files.writeString(output.resolve(TrainingProfile.FILE), "{");
        assertTrue(assertThrows(FileFormatException.class,
                () -> TrainingRecord.read(output)).getMessage().contains("profile.json"));
    }
}
