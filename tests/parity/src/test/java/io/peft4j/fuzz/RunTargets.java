package io.peft4j.fuzz;

import io.peft4j.train.runs.RunComparison;
import io.peft4j.train.runs.TrainingPage;
import io.peft4j.train.runs.TrainingRecord;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;

/** Files that trainings leave about themselves. */
final class RunTargets {
    private static final byte[] INFO = utf8("{\"state\":\"finished\",\"seconds\":12.5,\"peak_resident_bytes\":1000000,"
            + "\"plan\":{\"examples\":12,\"total_steps\":3,\"done_steps\":0},\"settings\":{\"learning_rate\":\"0.01\","
            + "\"examples\":\"ab\"}}");
    private static final byte[] METRICS = utf8("{\"step\":0,\"epoch\":0,\"eval_loss\":2.5}\n{\"step\":1,\"epoch\":0.5,"
            + "\"train_loss\":2.25,\"learning_rate\":1e-3,\"grad_norm\":0.5,\"tokens\":100,\"tokens_per_s\":50.5}\n"
            + "{\"step\":2,\"train_loss\":\"NaN\",\"tokens\":90,\"tokens_per_s\":0}\n");

    private RunTargets() {
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static List<FuzzTarget> all() {
        return List.of(new FuzzTarget("training's own files", 2, (damage, folder) -> {
            Files.write(folder.resolve("run.json"), damage.json(INFO, damage.below(3)));
            Files.write(folder.resolve("metrics.jsonl"), damage.text(METRICS));
        }, (damage, folder) -> {
            Reports reports = new Reports();
            reports.run(() -> {
                TrainingRecord run = TrainingRecord.read(folder);
                new TrainingPage(run).html();
                new RunComparison(List.of(run, run)).html();
            });
            reports.done();
        }));
    }
}
