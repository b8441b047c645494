package io.peft4j.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.Sampling;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.grader.Grading;
import io.peft4j.data.task.AnswerGroup;
import io.peft4j.data.task.RowKind;
import io.peft4j.models.BaseModel;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.objective.GroupObjective;
import io.peft4j.train.objective.GroupOptions;
import io.peft4j.train.objective.SampledObjective;
import io.peft4j.train.objective.SamplingOptions;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/**
 * How fast a training with rewards draws answers, beside the plain rates of the base and of the model with its adapter
 * merged, to the same prompts, in turn; by the clock, and by the time of the processor, which says more on a busy
 * machine. Arguments: model, adapter, prompts, prompts an update, answers a prompt, most tokens, rounds.
 */
public final class SamplingInTraining {
    private SamplingInTraining() {
    }

    /** Runs the program. */
    public static void main(String[] args) {
        int each = Integer.parseInt(args[4]);
        int most = Integer.parseInt(args[5]);
        List<AnswerGroup> prompts = RowKind.PROMPTS.read(DataFile.of(Path.of(args[2]))).subList(0,
                Integer.parseInt(args[3]));
        try (BaseModel base = BaseModel.load(args[0]);
                PeftModel merged = PeftModel.load(base, Path.of(args[1]));
                BaseModel again = BaseModel.load(args[0]);
                PeftModel trained = PeftModel.load(again, Path.of(args[1]))) {
            merged.merge();
            for (int round = 0; round < Integer.parseInt(args[6]); round++) {
                Rate plain = plain(again, prompts, each, most, round);
                Rate same = plain(merged, prompts, each, most, round);
                Update update = update(trained, prompts, each, most);
                Rate drawn = update.drawn();
                System.out.printf(
                        "base %s; merged %s; in training %s, %.1f s of an update of %.1f s (%.1f of %.1f s of "
                                + "the processor)%n",
                        plain, same, drawn, drawn.time().seconds(), update.whole().seconds(),
                        drawn.time().processor(), update.whole().processor());
            }
        }
    }

    /** A moment, or what is between two. */
    private record Time(double seconds, double processor) {
        static Time now() {
            return new Time(System.nanoTime() / 1e9, ((OperatingSystemMXBean) ManagementFactory
                    .getOperatingSystemMXBean()).getProcessCpuTime() / 1e9);
        }

        Time since(Time begin) {
            return new Time(seconds - begin.seconds, processor - begin.processor);
        }
    }

    /** Tokens in a time. */
    private record Rate(double tokens, Time time) {
        double bySecond() {
            return tokens / time.seconds();
        }

        double byProcessorSecond() {
            return tokens / time.processor();
        }

        @Override
        public String toString() {
            return Math.round(bySecond()) + " tokens/s (" + Math.round(byProcessorSecond()) + ")";
        }
    }

    /** An update, and the draws in it. */
    private record Update(Time whole, Rate drawn) {
    }

    private static Rate plain(LanguageModel model, List<AnswerGroup> prompts, int each, int most, long seed) {
        List<Prompt> asked = prompts.stream().map(group -> (Prompt) Prompt.chat(group.prompt().messages())).toList();
        Time begin = Time.now();
        List<Completion> answers = model.generate(asked, GenerationOptions.defaults().withAnswers(each)
                .withMaxNewTokens(most).withSampling(Sampling.of(1, seed)));
        return new Rate(answers.stream().mapToInt(answer -> answer.ids().length).sum(), Time.now().since(begin));
    }

    private static Update update(PeftModel model, List<AnswerGroup> prompts, int each, int most) {
        AtomicReference<Time> begin = new AtomicReference<>();
        AtomicReference<Time> drawn = new AtomicReference<>();
        AtomicReference<Time> end = new AtomicReference<>();
        Grading grading = Grading.by((item, answer) -> {
            drawn.compareAndSet(null, Time.now());
            return answer.hashCode() % 7;
        });
        SampledObjective objective = new SampledObjective(new GroupObjective(model, GroupOptions.grpo()
                .withMaxCompletionLength(most, false)), grading, SamplingOptions.defaults().withGroupSize(each),
                Optional.empty());
        StepMetrics step = Trainer.builder(model).epochs(2).batchSize(prompts.size()).learningRate(1e-7)
                .listener(new TrainingListener() {
                    @Override
                    public void onStep(StepMetrics metrics) {
                        // The second update counts.
                        if (metrics.step() == 1) {
                            begin.set(Time.now());
                            drawn.set(null);
                        }
                        end.set(Time.now());
                    }
                }).build().train(objective, prompts).steps().get(1);
        return new Update(end.get().since(begin.get()), new Rate(step.measures().get("completions/mean_length") * each
                * prompts.size(), drawn.get().since(begin.get())));
    }
}
