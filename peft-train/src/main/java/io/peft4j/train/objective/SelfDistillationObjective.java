package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.Sampling;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.Masking;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.near.PassageIndex;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Self-distillation (<a href="https://arxiv.org/abs/2601.19897">2601.19897</a>): the model learns to answer without a
 * text as it answers with it. The teacher is the same model with more in its prompt; the loss of a row is the mean,
 * over the tokens of an answer, of the divergence of both distributions. By default the student gives that answer.
 *
 * <p>What the teacher knows more is the row's {@code context} (a text, or several), else the passages of
 * {@link SelfDistillationOptions#passages} that match the question, else the row's own answer as a demonstration. The
 * last answer of a conversation is learned.
 *
 * <pre>{@code
 * SelfDistillationOptions options = SelfDistillationOptions.defaults()
 *         .withPassages(PassageIndex.ofFile(Path.of("handbook.md")), 2);
 * Trainer.builder(model).build().train(new SelfDistillationObjective(model, options), chats.examples());
 * }</pre>
 *
 * <p>Measured: {@code divergence}, the mean over all tokens; {@code nll}, that of the answers' tokens; and
 * {@code answer_tokens}, the mean length of the answers.
 */
public final class SelfDistillationObjective implements Objective<ChatExample> {
    private static final Logger LOG = LoggerFactory.getLogger(SelfDistillationObjective.class);
    private static final String CONTEXT = "context";

    private final LanguageModel model;
    private final SelfDistillationOptions options;
    private final ChatEncoder encoder;

    /** The objective with the defaults. */
    public SelfDistillationObjective(LanguageModel model) {
        this(model, SelfDistillationOptions.defaults());
    }

    /**
     * The objective for a model.
     *
     * @throws ConfigurationException when the model is none that predicts the next token
     */
    public SelfDistillationObjective(LanguageModel model, SelfDistillationOptions options) {
        this.model = Objects.requireNonNull(model, "model");
        this.options = Objects.requireNonNull(options, "options");
        model.network().causal();
        this.encoder = ChatEncoder.of(model, Masking.LAST_TURN);
    }

    @Override
    public String name() {
        return "self-distillation";
    }

    @Override
    public Map<String, String> settings() {
        return Map.of("alpha", String.valueOf(options.alpha()), "along", SelfDistillationOptions.name(options.along()),
                "teacher", SelfDistillationOptions.name(options.teacher()), "answer_tokens",
                String.valueOf(options.maxNewTokens()), "answer_temperature", String.valueOf(options.temperature()));
    }

    /** As the student and as the teacher reads it, with the answer of the row. */
    @Override
    public List<EncodedExample> encode(ChatExample example) {
        TokenSequence learned = mean(encoder.encode(example));
        return List.of(new EncodedExample(List.of(learned, mean(encoder.encode(informed(example)))), new float[0], 1,
                learned.supervisedTokens()));
    }

    @Override
    public EncodedExamples encode(List<ChatExample> examples, DataSetup setup) {
        List<EncodedExample> kept = new ArrayList<>();
        List<String> tooLong = new ArrayList<>();
        for (ChatExample example : examples) {
            EncodedExample encoded = encode(example).get(0);
            if (longest(encoded) > setup.maxLength()) {
                tooLong.add(example.origin().toString());
            } else {
                kept.add(encoded.named(example.origin().toString()));
            }
        }
        long shown = examples.stream().filter(example -> context(example).isEmpty()).count();
        if (shown > 0) {
            LOG.info("{} of {} have no context: their answers are shown to the teacher", shown,
                    Count.of(examples.size(), setup.kind() + " example"));
        }
        if (!tooLong.isEmpty()) {
            LOG.warn("left out, since longer than {} tokens with what the teacher reads: {} of {}: {}",
                    setup.maxLength(), tooLong.size(), Count.of(examples.size(), setup.kind() + " example"),
                    tooLong.subList(0, Math.min(10, tooLong.size())));
        }
        return new EncodedExamples(kept, tooLong.size());
    }

    /** The most tokens that teacher or student may have to read. */
    private int longest(EncodedExample example) {
        return example.sequences().stream().mapToInt(sequence -> options.along() == SelfDistillationOptions.Along.GIVEN
                ? sequence.length()
                : Math.max(sequence.length(), promptLength(sequence) + options.maxNewTokens())).max().getAsInt();
    }

    /** The same sequence whose supervised tokens count 1 together. */
    private static TokenSequence mean(TokenSequence sequence) {
        float[] weights = new float[sequence.length()];
        for (int i = 1; i < weights.length; i++) {
            weights[i] = sequence.weights()[i] == 0 ? 0 : 1f / sequence.supervisedTokens();
        }
        return sequence.weighted(weights);
    }

    /** The conversation as the teacher reads it: with the context in the last message before the answer. */
    private ChatExample informed(ChatExample example) {
        List<ChatMessage> messages = new ArrayList<>(example.messages());
        int last = example.prompt().size() - 1;
        if (last < 0 || last == messages.size() - 1) {
            throw new ConfigurationException(example.origin() + " needs a question and an answer, so that its teacher "
                    + "can be asked");
        }
        ChatMessage question = messages.get(last);
        List<String> context = context(example);
        messages.set(last, new ChatMessage(question.role(), options.asked(question.content(),
                context.isEmpty() ? List.of(messages.get(last + 1).content()) : context), question.extra()));
        return new ChatExample(messages, example.tools(), example.extra(), example.origin(), example.continuation());
    }

    private List<String> context(ChatExample example) {
        Object given = example.extra().get(CONTEXT);
        if (given instanceof String text) {
            return List.of(text);
        }
        if (given instanceof List<?> texts && !texts.isEmpty() && texts.stream().allMatch(String.class::isInstance)) {
            return texts.stream().map(String.class::cast).toList();
        }
        if (given != null) {
            throw new ConfigurationException(example.origin() + ": \"" + CONTEXT + "\" is neither a text nor a list "
                    + "of texts");
        }
        List<ChatMessage> asked = example.prompt();
        return options.passages().map(index -> index.best(asked.get(asked.size() - 1).content(), options.most()))
                .orElse(List.of());
    }

    @Override
    public double backward(Passes passes, List<EncodedExample> batch, double normalizer) {
        return loss().backward(passes, 0, lessons(passes, batch, options.temperature()), EncodedExample.weight(batch),
                normalizer);
    }

    @Override
    public double loss(Passes passes, List<EncodedExample> batch) {
        return loss().loss(passes, lessons(passes, batch, 0));
    }

    private TeacherLoss loss() {
        return new TeacherLoss(model, model, options.teacher() == SelfDistillationOptions.Teacher.BASE,
                new DistilledToken(1, 1, options.alpha(), model.network().description().vocabularySize()),
                "nll", "divergence");
    }

    private List<TeacherLoss.Lesson> lessons(Passes passes, List<EncodedExample> batch, double temperature) {
        List<TeacherLoss.Lesson> lessons = options.along() == SelfDistillationOptions.Along.GIVEN
                ? batch.stream().map(each -> lesson(each.sequences().get(0), each.sequences().get(1))).toList()
                : own(batch, temperature, passes.seed());
        passes.measure("answer_tokens", lessons.stream().mapToInt(lesson -> lesson.learned().supervisedTokens()).sum(),
                batch.size());
        return lessons;
    }

    private static TeacherLoss.Lesson lesson(TokenSequence learned, TokenSequence taught) {
        return new TeacherLoss.Lesson(learned, Optional.of(taught));
    }

    private List<TeacherLoss.Lesson> own(List<EncodedExample> batch, double temperature, long seed) {
        Sampling sampling = temperature == 0 ? Sampling.greedy() : Sampling.of(temperature, seed);
        List<Completion> answers = model.generate(batch.stream().map(each -> each.sequences().get(0))
                .<Prompt>map(asked -> Prompt.tokens(prompt(asked)).inTask(asked.task())).toList(),
                GenerationOptions.defaults().withMaxNewTokens(options.maxNewTokens())
                        .withSampling(sampling).withBatchSize(batch.size()));
        List<TeacherLoss.Lesson> lessons = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            int[] answer = answers.get(i).ids();
            List<TokenSequence> asked = batch.get(i).sequences();
            lessons.add(lesson(answered(asked.get(0), answer), answered(asked.get(1), answer)));
        }
        return lessons;
    }

    /** The tokens before the answer. */
    private static int[] prompt(TokenSequence sequence) {
        return Arrays.copyOf(sequence.ids(), promptLength(sequence));
    }

    private static int promptLength(TokenSequence sequence) {
        int first = 1;
        while (first < sequence.length() && sequence.weights()[first] == 0) {
            first++;
        }
        return first;
    }

    /** The same question with another answer. */
    private static TokenSequence answered(TokenSequence sequence, int... answer) {
        int[] prompt = prompt(sequence);
        int[] ids = Arrays.copyOf(prompt, prompt.length + answer.length);
        System.arraycopy(answer, 0, ids, prompt.length, answer.length);
        float[] weights = new float[ids.length];
        Arrays.fill(weights, prompt.length, ids.length, 1f / answer.length);
        return new TokenSequence(ids, weights).inTask(sequence.task());
    }

    @Override
    public String toString() {
        return "objective " + name();
    }

    /** The objective by its name. */
    public static final class Type extends ObjectiveType<ChatExample> {
        private static final SelfDistillationOptions USUAL = SelfDistillationOptions.defaults();
        private static final ObjectiveOption<Double> ALPHA = ObjectiveOption.number("alpha-divergence", "A", "which "
                + "divergence: 0 KL(teacher, student), 1 KL(student, teacher), a mixture between them", USUAL.alpha());
        private static final ObjectiveOption<String> ALONG = ObjectiveOption.word("along", "own|given", "whose answers "
                + "both are compared along: the student's own or those of the rows", "own");
        private static final ObjectiveOption<String> TEACHER = ObjectiveOption.word("teacher-weights", "base|live",
                "the teacher is the base, or the model as trained so far", "base");
        private static final ObjectiveOption<Path> PASSAGES = ObjectiveOption.optional("passages", Path.class, "FILE",
                "a handbook whose passages the teacher reads where a row has no \"context\"");
        private static final ObjectiveOption<Integer> TOKENS = new ObjectiveOption<>("answer-tokens", Integer.class,
                "N", "the most tokens of an own answer", Optional.of(USUAL.maxNewTokens()));
        private static final ObjectiveOption<Double> HEAT = ObjectiveOption.number("answer-temperature", "T",
                "the temperature of own answers; 0: greedy", USUAL.temperature());
        private static final ObjectiveOption<String> PROMPT = ObjectiveOption.optional("teacher-prompt", String.class,
                "TEXT", "what the teacher is asked, with {prompt} and {context}; as a rule the context, an empty line "
                        + "and the prompt");

        /** What is registered. */
        public Type() {
            super("self-distillation", ChatDataset.ROWS, "to answer without {\"context\"} or passages as with them",
                    ALPHA, ALONG, TEACHER, PASSAGES, TOKENS, HEAT, PROMPT, ObjectiveOption.MAX_LENGTH);
        }

        @Override
        protected Function<LanguageModel, Objective<ChatExample>> objective(ObjectiveValues values) {
            SelfDistillationOptions plain = USUAL.withAlpha(values.get(ALPHA))
                    .along(SelfDistillationOptions.named(SelfDistillationOptions.Along.class, "choice of answers",
                            values.get(ALONG)))
                    .withTeacher(SelfDistillationOptions.named(SelfDistillationOptions.Teacher.class,
                            "choice of a teacher", values.get(TEACHER)))
                    .withAnswers(values.get(TOKENS), values.get(HEAT))
                    .withPrompt(values.find(PROMPT).orElse(USUAL.prompt()));
            // The file is read when the model is there: options are checked before anything is read.
            return model -> new SelfDistillationObjective(model, values.find(PASSAGES).map(file -> plain
                    .withPassages(PassageIndex.ofFile(file), plain.most())).orElse(plain));
        }
    }
}
