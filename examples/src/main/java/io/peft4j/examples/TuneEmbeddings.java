package io.peft4j.examples;

import static io.peft4j.core.peft.config.TargetModules.ALL_LINEAR;

import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.task.TaskRows;
import io.peft4j.data.task.TextPair;
import io.peft4j.eval.head.SearchQuality;
import io.peft4j.eval.statistics.Interval;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.train.Trainer;
import io.peft4j.train.objective.ContrastiveObjective;
import java.nio.file.Path;
import java.util.List;

/**
 * A search that learns the words of a company. Arguments: the folder with {@code pages.jsonl}, {@code train.jsonl} and
 * {@code heldout.jsonl}, and an output folder.
 */
public final class TuneEmbeddings {
    private TuneEmbeddings() {
    }

    /** Runs the program. */
    public static void main(String[] args) {
        List<String> pages = TaskRows.plain(Path.of(args[0], "pages.jsonl"));
        List<TextPair> heldOut = TaskRows.pairs(Path.of(args[0], "heldout.jsonl"));
        List<String> queries = heldOut.stream().map(TextPair::anchor).toList();
        int[] right = heldOut.stream().mapToInt(pair -> pages.indexOf(pair.positive())).toArray();
        try (BaseModel base = BaseModel.load("sentence-transformers/all-MiniLM-L6-v2")) {
            PeftModel model = base.withAdapter(
                    LoraConfig.builder().rank(16).alpha(32).targetModules(ALL_LINEAR).build());
            SearchQuality before = SearchQuality.of(base, queries, pages, right);
            Trainer.builder(model).output(Path.of(args[1])).build()
                    .train(new ContrastiveObjective(model), TaskRows.pairs(Path.of(args[0], "train.jsonl")));
            SearchQuality after = SearchQuality.of(model, queries, pages, right);
            Interval gain = after.gainOver(before);
            System.out.println("before: " + before);
            System.out.println("after:  " + after);
            System.out.printf("gain:   %.3f [%.3f, %.3f]%n", after.mean() - before.mean(), gain.low(), gain.high());
        }
    }
}
