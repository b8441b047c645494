package io.peft4j.eval;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.report.ComparisonReport;
import io.peft4j.eval.task.EvaluationItem;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * One round of tuning: trains a candidate, compares it with the model that answers now, decides, and promotes it.
 *
 * <pre>{@code
 * Promotion.Result result = Promotion.of(present, candidate).heldOut(questions)
 *         .run(() -> !trainer.train(examples).cancelled(), decided -> swap(candidate));
 * }</pre>
 *
 * <p>Each setting changes this round and returns it. By default only a candidate whose verdict is {@code ship}, and
 * that lost no golden question, is promoted.
 */
@Internal(shared = true)
public final class Promotion {
    private static final int EXAMPLES_IN_PROMPT = 3;

    /** What was done. */
    public enum Outcome {
        /** The candidate has taken the place of the present model. */
        PROMOTED,
        /** The candidate was compared and refused; the present model stays. */
        KEPT,
        /** The training was stopped, or the swap was refused by whoever does it. */
        STOPPED
    }

    /**
     * What a round came to.
     *
     * @param outcome what was done
     * @param report the comparison, where one was made
     * @param lost golden questions that the present model answers right and the candidate does not
     * @param reason the verdict, the lost questions, or why nothing was compared; empty where the training was stopped
     */
    public record Result(Outcome outcome, Optional<ComparisonReport> report, List<String> lost, String reason) {
        /** Copies the list. */
        public Result {
            lost = List.copyOf(lost);
        }

        private Result with(Outcome other) {
            return new Result(other, report, lost, reason);
        }
    }

    private final LanguageModel present;
    private final LanguageModel candidate;
    private List<EvaluationItem> heldOut = List.of();
    private List<EvaluationItem> golden = List.of();
    private Optional<ChatDataset> prompting = Optional.empty();
    private Consumer<Comparison> settings = comparison -> {
    };
    private Predicate<Verdict> accepted = Verdict::ships;
    private boolean always;

    private Promotion(LanguageModel present, LanguageModel candidate) {
        this.present = Objects.requireNonNull(present, "present");
        this.candidate = Objects.requireNonNull(candidate, "candidate");
    }

    /** A round for the model that answers now and the one that is trained to take its place. */
    public static Promotion of(LanguageModel present, LanguageModel candidate) {
        return new Promotion(present, candidate);
    }

    /** Questions that were not trained on. */
    public Promotion heldOut(List<EvaluationItem> questions) {
        heldOut = List.copyOf(questions);
        return this;
    }

    /** Questions of which the candidate may lose none. */
    public Promotion golden(List<EvaluationItem> questions) {
        golden = List.copyOf(questions);
        return this;
    }

    /** Also compares with the present model that has the most similar of these examples in its prompt, if they fit. */
    public Promotion prompting(ChatDataset examples) {
        prompting = Optional.of(examples);
        return this;
    }

    /** Changes the comparison: guard set, generation, metric. */
    public Promotion comparison(Consumer<Comparison> change) {
        settings = Objects.requireNonNull(change, "change");
        return this;
    }

    /** Which verdicts promote; default {@link Verdict#ships}. */
    public Promotion acceptIf(Predicate<Verdict> condition) {
        accepted = Objects.requireNonNull(condition, "condition");
        return this;
    }

    /** Promotes whatever the verdict, and also where nothing could be compared. */
    public Promotion always() {
        always = true;
        return this;
    }

    /**
     * The round, in this thread.
     *
     * @param training trains the candidate; gives whether it came to its end
     * @param swap puts the candidate in place, knowing what was decided; gives whether it did
     * @throws ConfigurationException when there is no question to decide by
     * @throws PeftException when the candidate cannot be trained, or cannot be compared and must be
     */
    public Result run(BooleanSupplier training, Predicate<Result> swap) {
        if (heldOut.isEmpty() && golden.isEmpty() && !always) {
            throw new ConfigurationException("no questions to compare the candidate on: give held-out or golden ones");
        }
        if (!training.getAsBoolean()) {
            return new Result(Outcome.STOPPED, Optional.empty(), List.of(), "");
        }
        Result decided = decide();
        return decided.outcome() == Outcome.PROMOTED && !swap.test(decided) ? decided.with(Outcome.STOPPED) : decided;
    }

    private Result decide() {
        List<EvaluationItem> questions = new ArrayList<>(heldOut);
        questions.addAll(golden);
        if (questions.isEmpty()) {
            return new Result(Outcome.PROMOTED, Optional.empty(), List.of(), "No verdict: nothing is held out to "
                    + "compare the models on");
        }
        ComparisonReport report;
        try {
            report = compare(questions);
        } catch (PeftException e) {
            if (always) {
                return new Result(Outcome.PROMOTED, Optional.empty(), List.of(), "No verdict: " + e.getMessage());
            }
            throw e;
        }
        List<String> lost = lost(report);
        boolean promoted = always || accepted.test(report.verdict()) && lost.isEmpty();
        return new Result(promoted ? Outcome.PROMOTED : Outcome.KEPT, Optional.of(report), lost, lost.isEmpty()
                ? report.verdict().inOneLine() : "the candidate lost the golden questions " + lost);
    }

    private ComparisonReport compare(List<EvaluationItem> questions) {
        if (prompting.isPresent()) {
            ChatDataset examples = prompting.get();
            try {
                return comparison().arm(Arm.fewShot(present, examples, Math.min(EXAMPLES_IN_PROMPT, examples.size())))
                        .on(questions);
            } catch (PeftException e) {
                // The examples may not fit in front of a question.
                return comparison().on(questions);
            }
        }
        return comparison().on(questions);
    }

    private Comparison comparison() {
        Comparison comparison = Comparison.of(present, candidate);
        settings.accept(comparison);
        return comparison;
    }

    /** The golden questions stand behind what is held out. */
    private List<String> lost(ComparisonReport report) {
        List<String> lost = new ArrayList<>();
        for (int i = heldOut.size(); i < report.items().size(); i++) {
            EvaluationItem item = report.items().get(i);
            if (item.isAnsweredBy(report.base().answers().get(i))
                    && !item.isAnsweredBy(report.tuned().answers().get(i))) {
                lost.add(item.question());
            }
        }
        return lost;
    }
}
