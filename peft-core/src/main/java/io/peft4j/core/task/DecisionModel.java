package io.peft4j.core.task;

import io.peft4j.core.decision.DecisionAnswer;
import io.peft4j.core.decision.DecisionCalibration;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionQuestion.Kind;
import io.peft4j.core.decision.DecisionRequest;
import io.peft4j.core.decision.DecisionResult;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.task.DecisionForm.Encoded;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Answers typed questions about a text with probabilities; nothing is generated. The model is one with option markers,
 * such as a Laya checkpoint, an embedder, or any chat model, which is asked for the label of an option.
 *
 * <pre>{@code
 * DecisionModel decisions = new DecisionModel(model);
 * DecisionAnswer answer = decisions.decide("I was charged twice",
 *         DecisionQuestion.choice("Which team?", List.of("billing", "login")));
 * System.out.println(answer.choice() + " " + answer.probabilities());
 * }</pre>
 *
 * <p>Options are data: those that no training has shown are answered, too. Temperatures and what else was fitted to the
 * model's answers ({@link DecisionSettings}) is applied. Immutable, for any number of threads.
 */
public final class DecisionModel {
    private final LanguageModel model;
    private final DecisionSettings settings;
    private final DecisionForm form;
    private final int rotations;
    private final OptionalDouble error;

    /**
     * Answers by a model with its own settings.
     *
     * @throws ConfigurationException when the model has neither a head for options nor a chat template
     */
    public DecisionModel(LanguageModel model) {
        this(model, model.decisions());
    }

    /** As {@link #DecisionModel(LanguageModel)}, with other settings. */
    public DecisionModel(LanguageModel model, DecisionSettings settings) {
        this(model, settings, DecisionForm.of(model, settings), 1, OptionalDouble.empty());
    }

    private DecisionModel(LanguageModel model, DecisionSettings settings, DecisionForm form, int rotations,
            OptionalDouble error) {
        this.model = Objects.requireNonNull(model, "model");
        this.settings = settings;
        this.form = form;
        this.rotations = rotations;
        this.error = error;
    }

    /**
     * The same with the probabilities of choices averaged over several orders of their options, each rotated against
     * the one before: the order then hardly counts (<a href="https://arxiv.org/abs/2309.03882">2309.03882</a>), and a
     * choice takes as many times as long.
     *
     * @param orders at least 1, which is the order of the question alone; of n options at most n are asked
     */
    public DecisionModel withRotations(int orders) {
        if (orders < 1) {
            throw new ConfigurationException("rotations must be at least 1, got " + orders);
        }
        return new DecisionModel(model, settings, form, orders, error);
    }

    /**
     * The same that leaves a question to a person where its answer is not certain enough for at most this share of
     * answers to be wrong ({@link DecisionAnswer#refused}).
     *
     * @param share one of the errors that thresholds were fitted for; questions without a threshold are all left
     */
    public DecisionModel refusingBeyond(double share) {
        return new DecisionModel(model, settings, form, rotations, OptionalDouble.of(share));
    }

    /** The settings that it answers with. */
    public DecisionSettings settings() {
        return settings;
    }

    /** The answer to a question about a text. */
    public DecisionAnswer decide(String text, DecisionQuestion question) {
        return decide(DecisionRequest.of(text, question)).answers().values().iterator().next();
    }

    /** The answers to the questions of a request. */
    public DecisionResult decide(DecisionRequest request) {
        return decide(List.of(request)).get(0);
    }

    /**
     * The answers to many requests, in their order.
     *
     * @throws ConfigurationException when a question does not fit the model
     */
    public List<DecisionResult> decide(List<DecisionRequest> requests) {
        return decide(model, requests.stream().map(this::read).toList());
    }

    /** A request as a model has read it, to be answered. */
    public static final class Reading {
        private final DecisionModel decisions;
        private final DecisionRequest request;
        private final List<Asked> asked;

        private Reading(DecisionModel decisions, DecisionRequest request, Runnable look) {
            this.decisions = decisions;
            this.request = request;
            this.asked = request.questions().keySet().stream().map(name -> {
                look.run();
                return decisions.ask(request, name);
            }).toList();
        }

        /** The tokens that are read, those of the state once for each question. */
        public long tokens() {
            return asked.stream().mapToLong(each -> each.tokens(decisions.form.predictsLabels())).sum();
        }

        private Stream<Encoded> encoded(int group) {
            return asked.stream().flatMap(each -> each.encoded().stream()).map(each -> group == 0 ? each
                    : new Encoded(each.sequences().stream().map(one -> one.inGroup(group)).toList(), each.outputs()));
        }

        private DecisionResult answered(Iterator<double[]> logits) {
            Map<String, DecisionAnswer> answers = new LinkedHashMap<>();
            Iterator<Asked> each = asked.iterator();
            for (String name : request.questions().keySet()) {
                Asked question = each.next();
                answers.put(name, decisions.answer(question.question(), question.encoded().stream()
                        .map(one -> logits.next()).toList()));
            }
            return new DecisionResult(answers, tokens());
        }
    }

    /**
     * Reads a request.
     *
     * @throws ConfigurationException when a question does not fit the model
     */
    public Reading read(DecisionRequest request) {
        return read(request, () -> {
        });
    }

    /**
     * As the other, for who may leave meanwhile.
     *
     * @param look runs before each question is read; may throw to give up
     */
    public Reading read(DecisionRequest request, Runnable look) {
        return new Reading(this, request, look);
    }

    /**
     * The answers to what was read, computed together, also where several adapters of a chat model have read it.
     *
     * @param model the one that has read all, or a view of adapters by row ({@code PeftModel.byRow})
     * @param readings what was read, in the order of the answers
     * @param groups for each the number of its adapter in the view; without any, all are of the first
     */
    public static List<DecisionResult> decide(LanguageModel model, List<Reading> readings, int... groups) {
        if (readings.isEmpty()) {
            return List.of();
        }
        List<Encoded> encoded = IntStream.range(0, readings.size()).boxed()
                .flatMap(i -> readings.get(i).encoded(groups.length == 0 ? 0 : groups[i])).toList();
        Iterator<double[]> logits = readings.get(0).decisions.form.logits(model, encoded).iterator();
        return readings.stream().map(each -> each.answered(logits)).toList();
    }

    /**
     * The logits of each question of requests, one after the other, as the network gives them in the order of the
     * question's options: nothing that was fitted is applied. For what is fitted to them.
     */
    public List<double[]> logits(List<DecisionRequest> requests) {
        return logits(requests, options -> IntStream.range(0, options).toArray());
    }

    /**
     * As the other, with the options read in another order.
     *
     * @param order for a number of options the numbers of the question's, as the network reads them
     */
    public List<double[]> logits(List<DecisionRequest> requests, IntFunction<int[]> order) {
        return form.logits(model, requests.stream().flatMap(request -> request.questions().entrySet().stream()
                .map(each -> form.encode(request, each.getKey(), order.apply(each.getValue().options().size()))))
                .toList());
    }

    /** A question as it is read, once for each order of its options. */
    private record Asked(DecisionQuestion question, List<Encoded> encoded) {
        /** What is read, without the label that only stands for an answer. */
        long tokens(boolean withLabel) {
            return encoded.stream().flatMap(each -> each.sequences().stream())
                    .mapToLong(each -> each.length() - (withLabel ? 1 : 0)).sum();
        }
    }

    private Asked ask(DecisionRequest request, String name) {
        DecisionQuestion question = request.questions().get(name);
        int options = question.options().size();
        int orders = question.kind() == Kind.CHOICE ? Math.min(rotations, options) : 1;
        // Evenly spread, so that with few orders an option is near the beginning and near the end.
        return new Asked(question, IntStream.range(0, orders).mapToObj(i -> form.encode(request, name, IntStream
                .range(0, options).map(place -> (place + i * options / orders) % options).toArray())).toList());
    }

    private DecisionAnswer answer(DecisionQuestion question, List<double[]> logits) {
        double[] mean = new double[question.options().size()];
        for (double[] row : logits) {
            double[] probabilities = settings.probabilities(question, row);
            Arrays.setAll(mean, i -> mean[i] + probabilities[i] / logits.size());
        }
        DecisionAnswer answer = new DecisionAnswer(question, Arrays.stream(mean).map(p -> Math.min(1, p)).boxed()
                .toList(), false);
        return error.isPresent() && !isCertain(answer)
                ? new DecisionAnswer(question, answer.probabilities(), true) : answer;
    }

    private boolean isCertain(DecisionAnswer answer) {
        Optional<DecisionCalibration.Threshold> threshold = settings.calibration().of(answer.question())
                .flatMap(fitted -> fitted.threshold(error.getAsDouble()));
        return threshold.filter(found -> answer.probabilities().get(answer.best()) >= found.probability())
                .isPresent();
    }
}
