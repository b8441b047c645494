package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.AnswerFault;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.Masking;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.task.AnswerGroup;
import io.peft4j.data.task.RowKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;

/**
 * Reinforcement from groups of answers with rewards: answers that are better than others to the same prompt become more
 * likely ({@code grpo} and {@code rloo}, equal to TRL's). Supervised are the answers with their end-of-turn tokens.
 *
 * <pre>{@code
 * AnswerGroup group = AnswerGroup.of("Name a prime.", new AnswerGroup.Sample("7", 1), new AnswerGroup.Sample("8", 0));
 * Trainer.builder(model).build().train(new GroupObjective(model, GroupOptions.grpo()), List.of(group));
 * }</pre>
 *
 * <p>{@link SampledObjective} has the model give the answers itself.
 *
 * <p>Measured besides the loss, by TRL's names: {@code reward}, {@code reward_std}, {@code frac_reward_zero_std} (the
 * share of groups that teach nothing, since their rewards are equal), {@code completions/mean_length},
 * {@code completions/clipped_ratio}, and {@code kl} where {@code beta} is above 0.
 */
public final class GroupObjective implements AnswerObjective<AnswerGroup> {
    private final LanguageModel model;
    private final GroupOptions options;
    private final ChatEncoder encoder;

    /**
     * The objective for a model.
     *
     * @throws ConfigurationException when the model is none that predicts the next token
     */
    public GroupObjective(LanguageModel model, GroupOptions options) {
        this.model = Objects.requireNonNull(model, "model");
        this.options = Objects.requireNonNull(options, "options");
        model.network().causal();
        this.encoder = ChatEncoder.of(model, Masking.LAST_TURN);
    }

    LanguageModel model() {
        return model;
    }

    GroupOptions options() {
        return options;
    }

    ChatEncoder encoder() {
        return encoder;
    }

    @Override
    public String name() {
        return options.loss() == GroupOptions.Loss.RLOO ? "rloo" : "grpo";
    }

    @Override
    public Map<String, String> settings() {
        return Map.of("loss_type", options.loss().toString(), "scale_rewards", String.valueOf(options.scaleRewards()),
                "beta", String.valueOf(options.beta()), "reference", options.reference().toString(),
                "max_completion_length", String.valueOf(options.maxCompletionLength()), "mask_cut",
                String.valueOf(options.masksCut()));
    }

    @Override
    public EncodedExamples encode(List<AnswerGroup> examples, DataSetup setup) {
        AnswerFault.Log faults = new AnswerFault.Log();
        List<EncodedExample> encoded = new ArrayList<>();
        for (int i = 0; i < examples.size(); i++) {
            encoded(examples.get(i), setup.maxLength(), faults, i).ifPresent(encoded::add);
        }
        return PreferenceObjective.kept(encoded, faults, examples.size(), setup);
    }

    private Optional<EncodedExample> encoded(AnswerGroup group, int maxLength, AnswerFault.Log faults, int number) {
        ChatExample prompt = group.prompt();
        if (group.samples().size() < 2) {
            throw new ConfigurationException(prompt.origin() + " has " + group.samples().size() + " answers; a group "
                    + "needs two or more, since rewards are compared");
        }
        List<Answer> answers = new ArrayList<>();
        for (AnswerGroup.Sample sample : group.samples()) {
            List<ChatMessage> messages = new ArrayList<>(prompt.messages());
            messages.add(ChatMessage.assistant(sample.text()));
            TokenSequence whole = encoder.encode(new ChatExample(messages, prompt.tools(), prompt.extra(),
                    prompt.origin(), prompt.continuation()));
            Answer answer = cut(whole, maxLength, sample.reward());
            if (answer.sequence().supervisedTokens() == 0) {
                faults.add(AnswerFault.CUT_AWAY, number, prompt.origin());
                return Optional.empty();
            }
            answers.add(answer);
        }
        if (answers.stream().anyMatch(Answer::cut)) {
            faults.add(AnswerFault.CUT, number, prompt.origin());
        }
        return Optional.of(group(answers));
    }

    /**
     * An answer to a prompt.
     *
     * @param sequence prompt and answer
     * @param cut whether it was cut at a limit
     * @param reward its reward; NaN where it has none
     */
    record Answer(TokenSequence sequence, boolean cut, double reward) {
    }

    /** The tokens up to the last one that is learned, at most as many as are allowed. */
    private Answer cut(TokenSequence whole, int maxLength, double reward) {
        int first = 1;
        while (first < whole.length() && whole.weights()[first] == 0) {
            first++;
        }
        int end = first + whole.supervisedTokens();
        int limit = (int) Math.min(maxLength, (long) first + options.maxCompletionLength());
        int length = Math.min(end, limit);
        return new Answer(whole.first(length), length < end, reward);
    }

    /** A group as it is learned: targets are the rewards, and whether the answers were cut. */
    EncodedExample group(List<Answer> answers) {
        float[] targets = new float[2 * answers.size()];
        long tokens = 0;
        long learned = 0;
        for (int i = 0; i < answers.size(); i++) {
            Answer answer = answers.get(i);
            targets[i] = (float) answer.reward();
            targets[answers.size() + i] = answer.cut() ? 1 : 0;
            tokens += answer.sequence().supervisedTokens();
            learned += answer.cut() && options.masksCut() ? 0 : answer.sequence().supervisedTokens();
        }
        double weight = switch (options.loss()) {
            case DAPO -> Math.max(1, learned);
            case DR_GRPO -> (double) answers.size() * options.maxCompletionLength();
            default -> answers.size();
        };
        return new EncodedExample(answers.stream().map(Answer::sequence).toList(), targets, weight, tokens);
    }

    @Override
    public int referenceValues() {
        return options.beta() > 0 ? 1 : 0;
    }

    /** One for each token of the answers. */
    @Override
    public int referenceValues(EncodedExample example) {
        return options.beta() > 0 ? example.sequences().stream().mapToInt(TokenSequence::supervisedTokens).sum() : 0;
    }

    @Override
    public float[][] reference(Passes passes, List<EncodedExample> batch) {
        Function<Pass, float[]> work = Pass::negativeLogLikelihoods;
        List<TokenSequence> sequences = EncodedExample.sequences(batch);
        return split(batch, options.reference() == Reference.BASE ? passes.base(sequences, work)
                : passes.evaluation(sequences, work));
    }

    /** The log-probabilities of each example's tokens. */
    float[][] split(List<EncodedExample> batch, float... nll) {
        float[][] values = new float[batch.size()][];
        int at = 0;
        for (int i = 0; i < values.length; i++) {
            values[i] = new float[referenceValues(batch.get(i))];
            for (int j = 0; j < values[i].length; j++) {
                values[i][j] = -nll[at++];
            }
        }
        return values;
    }

    @Override
    public double backward(Passes passes, List<EncodedExample> batch, double normalizer) {
        return backward(passes, batch, normalizer, false);
    }

    /** The same for answers that are the model's own, or not. */
    double backward(Passes passes, List<EncodedExample> batch, double normalizer, boolean sampled) {
        return passes.training(batch, pass -> pass.withRouterLoss(EncodedExample.weight(batch), normalizer)
                .backward((nll, gradient) -> {
                    double sum = new GroupLoss(options, passes, sampled).of(batch, pass.batch().targets(), nll,
                            gradient);
                    for (int i = 0; i < gradient.length; i++) {
                        gradient[i] /= (float) normalizer;
                    }
                    return sum;
                }));
    }

    @Override
    public double loss(Passes passes, List<EncodedExample> batch) {
        return passes.evaluation(EncodedExample.sequences(batch), pass -> {
            float[] nll = pass.negativeLogLikelihoods();
            PackedBatch.Targets targets = pass.batch().targets();
            return new GroupLoss(options, passes, false).of(batch, targets, nll, new float[nll.length]);
        });
    }

    @Override
    public String toString() {
        return "objective " + name();
    }

    /** The options on the command line that groups with and without given answers have in common. */
    abstract static class Type extends ObjectiveType<AnswerGroup> {
        private static final ObjectiveOption<String> LOSS = ObjectiveOption.word("loss-type", "grpo|dr_grpo|dapo",
                "what the loss is a mean over: the tokens of each answer, as many as an answer may have, or all tokens",
                "dapo");
        private static final ObjectiveOption<String> SCALE = ObjectiveOption.word("scale-rewards", "group|none",
                "whether rewards are divided by their deviation within a group", "group");
        private static final ObjectiveOption<Integer> LENGTH = new ObjectiveOption<>("max-completion-length",
                Integer.class, "N", "the most tokens of an answer", Optional.of(GroupOptions.USUAL_LENGTH));
        private static final ObjectiveOption<String> CUT = ObjectiveOption.word("cut-answers", "learn|mask",
                "whether answers that reach that length are learned from", "learn");

        private final GroupOptions usual;
        private final ObjectiveOption<Double> beta;

        Type(GroupOptions usual, RowKind<AnswerGroup> rows, String about, ObjectiveOption<?>... more) {
            this(usual, rows, about, ObjectiveOption.number("beta", "B", "how firmly the model is held to the "
                    + "reference", usual.beta()), more);
        }

        private Type(GroupOptions usual, RowKind<AnswerGroup> rows, String about, ObjectiveOption<Double> beta,
                ObjectiveOption<?>... more) {
            super(usual.loss() == GroupOptions.Loss.RLOO ? "rloo" : "grpo", rows, about, all(usual, beta, more));
            this.usual = usual;
            this.beta = beta;
        }

        private static ObjectiveOption<?>[] all(GroupOptions usual, ObjectiveOption<Double> beta,
                ObjectiveOption<?>... more) {
            List<ObjectiveOption<?>> all = new ArrayList<>(List.of(beta, PreferenceObjective.PairsType.REFERENCE,
                    LENGTH, CUT, ObjectiveOption.MAX_LENGTH));
            if (usual.loss() != GroupOptions.Loss.RLOO) {
                all.addAll(List.of(LOSS, SCALE));
            }
            all.addAll(List.of(more));
            return all.toArray(ObjectiveOption[]::new);
        }

        GroupOptions options(ObjectiveValues values) {
            GroupOptions options = usual.withBeta(values.get(beta)).withReference(Reference.named(values.get(
                    PreferenceObjective.PairsType.REFERENCE))).withMaxCompletionLength(values.get(LENGTH),
                            oneOf(values.get(CUT), "cut answers", "mask", "learn"));
            return usual.loss() == GroupOptions.Loss.RLOO ? options
                    : options.withLoss(GroupOptions.Loss.named(values.get(LOSS)))
                            .withScaleRewards(oneOf(values.get(SCALE), "scale of rewards", "group", "none"));
        }

        static boolean oneOf(String value, String what, String yes, String no) {
            if (!value.equals(yes) && !value.equals(no)) {
                throw new ConfigurationException("unknown " + what + " '" + value + "'; use one of [" + yes + ", " + no
                        + "]");
            }
            return value.equals(yes);
        }
    }

    /** The objective on given answers by its name. */
    static class GivenType extends Type {
        GivenType(GroupOptions usual) {
            super(usual, RowKind.SAMPLES, "{\"messages\", \"samples\": [{\"text\", \"reward\"}, ...]}");
        }

        @Override
        protected Function<LanguageModel, Objective<AnswerGroup>> objective(ObjectiveValues values) {
            GroupOptions options = options(values);
            return model -> new GroupObjective(model, options);
        }
    }

    /** Registered as {@code grpo}. */
    public static final class Grpo extends GivenType {
        /** What is registered. */
        public Grpo() {
            super(GroupOptions.grpo());
        }
    }

    /** Registered as {@code rloo}. */
    public static final class Rloo extends GivenType {
        /** What is registered. */
        public Rloo() {
            super(GroupOptions.rloo());
        }
    }
}
