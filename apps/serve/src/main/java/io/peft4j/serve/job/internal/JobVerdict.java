package io.peft4j.serve.job.internal;

import io.peft4j.core.error.PeftException;
import io.peft4j.core.io.internal.AtomicFiles;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.eval.Arm;
import io.peft4j.eval.Comparison;
import io.peft4j.eval.guard.GuardSet;
import io.peft4j.eval.report.ComparisonReport;
import io.peft4j.serve.job.VerdictOptions;
import io.peft4j.serve.store.internal.JobEvent;
import java.util.ArrayList;
import java.util.List;

/**
 * Whether what a job has trained is better than its base: asked on the validation data, against the base as it is and
 * with examples in its prompt, with a guard set for what may have been forgotten: the same questions and rules as of
 * {@code peft4j evaluate}.
 */
final class JobVerdict {
    private static final int EXAMPLES_IN_PROMPT = 3;

    private final VerdictOptions options;
    private final JobFiles files;

    JobVerdict(VerdictOptions options, JobFiles files) {
        this.options = options;
        this.files = files;
    }

    /** Compares, leaves the report beside the job's other files, and tells the verdict. */
    JobEvent compare(LanguageModel base, LanguageModel tuned, ChatDataset training, ChatDataset heldOut) {
        try {
            return compare(base, tuned, training, heldOut, true);
        } catch (PeftException withExamples) {
            // Examples may not fit in front of a question.
            try {
                return compare(base, tuned, training, heldOut, false);
            } catch (PeftException e) {
                return JobEvent.warn("verdict", "No verdict: " + files.withoutPlaces(e.getMessage()));
            }
        }
    }

    private JobEvent compare(LanguageModel base, LanguageModel tuned, ChatDataset training, ChatDataset heldOut,
            boolean examples) {
        Comparison comparison = Comparison.of(base, tuned).trainingData(training)
                .generation(GenerationOptions.defaults().withMaxNewTokens(options.maxNewTokens()));
        if (examples) {
            comparison.arm(Arm.fewShot(base, training, Math.min(EXAMPLES_IN_PROMPT, training.size())));
        }
        List<ChatExample> asked = spread(heldOut.examples(), options.items());
        if (options.guardItems() > 0) {
            comparison.guard(new GuardSet(spread(GuardSet.builtIn().items(), options.guardItems())));
        } else {
            comparison.withoutGuard();
        }
        ComparisonReport report = comparison.on(ChatDataset.of(asked));
        AtomicFiles.writeString(files.file(JobResults.VERDICT + ".json"), report.toJson().toPrettyString() + "\n");
        report.writeHtml(files.file(JobResults.VERDICT + ".html"));
        return new JobEvent("verdict", "info", "message", "Verdict: " + report.verdict(),
                report.toJson().path("verdict"));
    }

    /** So many, evenly from beginning to end. */
    private static <T> List<T> spread(List<T> all, int most) {
        if (all.size() <= most) {
            return all;
        }
        List<T> some = new ArrayList<>();
        for (int i = 0; i < most; i++) {
            some.add(all.get((int) ((long) i * all.size() / most)));
        }
        return some;
    }
}
