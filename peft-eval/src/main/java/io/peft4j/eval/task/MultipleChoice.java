package io.peft4j.eval.task;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.SequenceScorer;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.task.SourceEncoder;
import io.peft4j.eval.metric.CalibrationError;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * Multiple choice by likelihood: the choice that the model finds likeliest after the question is its answer.
 *
 * <p>Two counts are usual: {@code acc} takes the largest log-likelihood, {@code acc_norm} the largest per character of
 * the choice, which does not favour short choices.
 */
@Internal
public final class MultipleChoice {
    private final LanguageModel model;

    /**
     * A question.
     *
     * @param prompt what is asked
     * @param choices at least two
     * @param answer index of the right one
     */
    public record Question(Prompt prompt, List<String> choices, int answer) {
        /** Copies the choices and checks them. */
        public Question {
            Objects.requireNonNull(prompt, "prompt");
            choices = List.copyOf(choices);
            if (choices.size() < 2 || answer < 0 || answer >= choices.size()
                    || choices.stream().anyMatch(String::isEmpty)) {
                throw new ConfigurationException("a question needs two choices, none empty, and the right one among "
                        + "them; got " + choices + " and the index " + answer);
            }
        }
    }

    /**
     * What a model chose.
     *
     * @param logLikelihoods of the choices
     * @param chosen the likeliest choice
     * @param chosenNormalized the likeliest per character
     * @param correct whether {@code chosen} is right
     * @param correctNormalized whether {@code chosenNormalized} is right
     * @param confidence the probability of {@code chosen} among the choices
     */
    public record Outcome(double[] logLikelihoods, int chosen, int chosenNormalized, boolean correct,
            boolean correctNormalized, double confidence) {
        /** The probability of each choice among the choices. */
        public double[] probabilities() {
            double best = logLikelihoods[chosen];
            return Arrays.stream(logLikelihoods).map(log -> Math.exp(log - best) * confidence).toArray();
        }
    }

    /**
     * All outcomes.
     *
     * @param outcomes one for each question
     */
    public record Result(List<Outcome> outcomes) {
        /** Copies the list. */
        public Result {
            outcomes = List.copyOf(outcomes);
        }

        /** The share of right answers by likelihood. */
        public double accuracy() {
            return outcomes.stream().filter(Outcome::correct).count() / (double) outcomes.size();
        }

        /** The share of right answers by likelihood per character. */
        public double normalizedAccuracy() {
            return outcomes.stream().filter(Outcome::correctNormalized).count() / (double) outcomes.size();
        }

        /** The expected calibration error of the confidences, with 15 bins. */
        public double calibrationError() {
            boolean[] correct = new boolean[outcomes.size()];
            for (int i = 0; i < correct.length; i++) {
                correct[i] = outcomes.get(i).correct();
            }
            return CalibrationError.expectedError(outcomes.stream().mapToDouble(Outcome::confidence).toArray(), correct,
                    15);
        }
    }

    private MultipleChoice(LanguageModel model) {
        this.model = Objects.requireNonNull(model, "model");
    }

    /** Asks this model. */
    public static MultipleChoice of(LanguageModel model) {
        return new MultipleChoice(model);
    }

    /**
     * Asks all questions.
     *
     * @throws ConfigurationException when there are no questions, or a chat is asked of a model without a template
     */
    public Result on(List<Question> questions) {
        if (questions.isEmpty()) {
            throw new ConfigurationException("no multiple-choice questions given");
        }
        List<TokenSequence> sequences = new ArrayList<>();
        for (Question question : questions) {
            String text = text(question.prompt());
            if (model.network() instanceof EncoderDecoderNetwork) {
                if (question.prompt() instanceof Prompt.Tokens) {
                    throw new ConfigurationException(model.network().description().name() + " is an encoder-decoder; "
                            + "ask it with texts, not with tokens");
                }
                SourceEncoder sources = new SourceEncoder(model);
                question.choices().forEach(choice -> sequences.add(sources.encode(text, choice)
                        .inTask(question.prompt().task())));
                continue;
            }
            int[] head = question.prompt() instanceof Prompt.Tokens tokens ? tokens.ids() : encode(question, text);
            question.choices().forEach(choice -> sequences.add(sequence(question, text, head, choice)));
        }
        double[] nll = SequenceScorer.negativeLogLikelihoods(model, sequences);
        List<Outcome> outcomes = new ArrayList<>();
        int at = 0;
        for (Question question : questions) {
            double[] logs = new double[question.choices().size()];
            for (int i = 0; i < logs.length; i++) {
                logs[i] = -nll[at++];
            }
            outcomes.add(outcome(question, logs));
        }
        return new Result(outcomes);
    }

    private String text(Prompt prompt) {
        if (prompt instanceof Prompt.Chat chat) {
            return model.chatTemplate().orElseThrow(() -> new ConfigurationException(
                    model.network().description().name() + " has no chat template; use plain-text prompts"))
                    .render(chat.messages(), true);
        }
        return prompt instanceof Prompt.Text plain ? plain.text() : "";
    }

    private int[] encode(Question question, String text) {
        return question.prompt() instanceof Prompt.Chat ? model.tokenizer().encode(text)
                : model.tokenizer().encodeToContinue(text);
    }

    /** The prompt's tokens as the model is asked with them, then the choice's, supervised. */
    private TokenSequence sequence(Question question, String text, int[] head, String choice) {
        int[] whole = question.prompt() instanceof Prompt.Tokens ? new int[0] : encode(question, text + choice);
        boolean continues = whole.length > head.length
                && Arrays.mismatch(head, 0, head.length, whole, 0, head.length) < 0;
        if (!continues) {
            // A token would span the border: the choice is encoded on its own.
            int[] tail = model.tokenizer().encode(choice);
            whole = Arrays.copyOf(head, head.length + tail.length);
            System.arraycopy(tail, 0, whole, head.length, tail.length);
        }
        float[] weights = new float[whole.length];
        Arrays.fill(weights, head.length, whole.length, 1);
        return new TokenSequence(whole, weights).inTask(question.prompt().task());
    }

    private static Outcome outcome(Question question, double[] logs) {
        int best = 0;
        int bestNormalized = 0;
        double[] normalized = new double[logs.length];
        for (int i = 0; i < logs.length; i++) {
            normalized[i] = logs[i] / question.choices().get(i).length();
            best = logs[i] > logs[best] ? i : best;
            bestNormalized = normalized[i] > normalized[bestNormalized] ? i : bestNormalized;
        }
        double sum = 0;
        for (double log : logs) {
            sum += Math.exp(log - logs[best]);
        }
        return new Outcome(logs, best, bestNormalized, best == question.answer(),
                bestNormalized == question.answer(), 1 / sum);
    }
}
