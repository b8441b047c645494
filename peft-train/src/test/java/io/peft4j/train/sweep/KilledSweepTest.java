package io.peft4j.train.sweep;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.train.KilledPrograms;
import io.peft4j.train.sweep.SweepResult.Trial;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A sweep that is killed between and within its trials ends as one that was not disturbed. */
@Tag("full")
class KilledSweepTest {
    @TempDir
    private Path folder;

    @Test
    void whatIsFinishedStaysAndTheRestIsThatOfASweepThatWasNot() throws Exception {
        StringBuilder rows = new StringBuilder();
        for (int i = 0; i < 12; i++) {
            rows.append("{\"messages\": [{\"role\": \"user\", \"content\": \"").append((char) ('a' + i % 5))
                    .append("\"}, {\"role\": \"assistant\", \"content\": \"").append((char) ('a' + i % 3))
                    .append("\"}]}\n");
        }
        Path data = Files.writeString(folder.resolve("data.jsonl"), rows);
        Path output = folder.resolve("killed");
        Path log = Files.createFile(folder.resolve("log"));
        SplittableRandom random = new SplittableRandom(5);
        for (int kill = 0; kill < 2; kill++) {
            Process process = KilledPrograms.start(log, KilledSweep.class, data.toString(), output.toString());
            BufferedReader lines = new BufferedReader(new InputStreamReader(process.getInputStream()));
            for (int done = 0; done < 2; done++) {
                assertNotNull(lines.readLine(), () -> KilledPrograms.text(log));
            }
            TimeUnit.MILLISECONDS.sleep(random.nextInt(20));
            process.destroyForcibly();
            process.waitFor();
        }
        List<Trial> finished = SweepFile.resume(output, Map.of()).trials().stream()
                .filter(trial -> trial.state() == Trial.State.FINISHED).toList();
        List<String> told = new ArrayList<>();
        SweepResult result = KilledSweep.run(data, output, trial -> told.add(trial.name()));
        SweepResult whole = KilledSweep.run(data, folder.resolve("whole"), trial -> {
        });

        assertTrue(finished.size() >= 4, finished.toString());
        for (Trial trial : finished) {
            assertEquals(trial, result.trials().get(trial.number() - 1), "it was not trained again");
            assertTrue(!told.contains(trial.name()), told.toString());
        }
        assertEquals(6, result.trials().size());
        for (int i = 0; i < 6; i++) {
            Trial one = whole.trials().get(i);
            assertEquals(one.values(), result.trials().get(i).values());
            assertEquals(one.loss(), result.trials().get(i).loss());
            assertArrayEquals(Files.readAllBytes(whole.folder(one).resolve("adapter_model.safetensors")),
                    Files.readAllBytes(result.folder(result.trials().get(i)).resolve("adapter_model.safetensors")));
        }
    }
}
