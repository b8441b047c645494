package io.peft4j.core.task;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionQuestion.Option;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.decision.PythonJson;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Laya's form: {@code [CLS] type question: instructions [SEP] [MASK] option [MASK] option [SEP] state [SEP]}. Options
 * have at most 48 tokens each, and are cut at the same length where all of them are too long; a long state loses its
 * end, a list of turns its beginning.
 */
final class MarkerForm implements DecisionForm {
    private static final int OPTION_TOKENS = 48;
    /** What instructions have at least where options leave them little. */
    private static final int LEAST_INSTRUCTIONS = 8;
    /** Room for instructions below which options are cut. */
    private static final int ROOM = 16;
    private static final List<String> MASKS = List.of("[MASK]", "<mask>");

    private final Tokenizer tokenizer;
    private final int limit;
    private final int questionLimit;
    private final int cls;
    private final int separator;
    private final int mask;
    private final String maskText;

    MarkerForm(Model model, DecisionSettings settings) {
        this.tokenizer = model.tokenizer();
        try (ModelLease lease = model.lease()) {
            this.limit = Math.min(settings.maxTokens().orElse(DecisionSettings.MARKED_TOKENS), lease.maxPositions());
        }
        this.questionLimit = settings.maxQuestionTokens().orElse(DecisionSettings.MARKED_QUESTION_TOKENS);
        this.maskText = MASKS.stream().filter(text -> tokenizer.tokenToId(text).isPresent()).findFirst()
                .orElseThrow(() -> new ConfigurationException(tokenizer + " has none of the tokens " + MASKS
                        + " to mark options with; ask a chat model instead"));
        this.mask = tokenizer.tokenToId(maskText).orElseThrow();
        int[] frame = frame(tokenizer);
        this.cls = frame[0];
        this.separator = frame[1];
    }

    /** The special tokens before and behind a text. */
    static int[] frame(Tokenizer tokenizer) {
        int[] ids = tokenizer.encodeWithSpecials("a");
        int[] frame = {ids[0], ids[ids.length - 1]};
        if (ids.length < 3 || !tokenizer.isSpecial(frame[0]) || !tokenizer.isSpecial(frame[1])) {
            throw new ConfigurationException(tokenizer + " puts no special tokens around a text, which separate "
                    + "questions from texts; ask a chat model instead");
        }
        return frame;
    }

    @Override
    public boolean predictsLabels() {
        return false;
    }

    @Override
    public List<double[]> logits(Model model, List<Encoded> questions) {
        List<float[]> scores = HeadPasses.outputs(model, questions.stream().map(Encoded::sequence).toList());
        return IntStream.range(0, scores.size()).mapToObj(i -> IntStream.of(questions.get(i).outputs())
                .mapToDouble(place -> scores.get(i)[place]).toArray()).toList();
    }

    @Override
    public Encoded encode(JsonNode state, DecisionQuestion question, int... order) {
        List<String> texts = rendered(question);
        List<int[]> options = new ArrayList<>();
        for (int option : order) {
            int[] ids = tokens(" " + texts.get(option));
            options.add(join(new int[] {mask}, Arrays.copyOf(ids, Math.min(ids.length, OPTION_TOKENS))));
        }
        int room = questionLimit - length(options);
        if (room < ROOM) {
            int each = Math.max(4, (questionLimit - ROOM) / options.size());
            options.replaceAll(ids -> Arrays.copyOf(ids, Math.min(ids.length, each)));
            room = questionLimit - length(options);
        }
        int[] asked = tokens(question.kind().word() + " question: " + question.text());
        List<int[]> parts = new ArrayList<>(List.of(new int[] {cls},
                Arrays.copyOf(asked, Math.min(asked.length, Math.max(LEAST_INSTRUCTIONS, room))),
                new int[] {separator}));
        int[] places = new int[order.length];
        for (int i = 0; i < order.length; i++) {
            places[order[i]] = length(parts);
            parts.add(options.get(i));
        }
        parts.add(new int[] {separator});
        parts.add(cut(state, limit - length(parts) - 1));
        parts.add(new int[] {separator});
        int[] ids = join(parts.toArray(int[][]::new));
        if (IntStream.of(places).max().orElseThrow() >= limit) {
            throw new ConfigurationException("the " + order.length + " options of the question '" + question.text()
                    + "' do not fit into the " + limit + " tokens that the model reads; ask about fewer");
        }
        int[] kept = Arrays.copyOf(ids, Math.min(ids.length, limit));
        int[] types = new int[kept.length];
        Arrays.fill(types, question.kind().ordinal());
        return new Encoded(TokenSequence.unsupervised(kept).withTypes(types), places);
    }

    private int[] cut(JsonNode state, int room) {
        int[] ids = tokens(PythonJson.text(state));
        int most = Math.max(0, Math.min(ids.length, room));
        return state.isArray() ? Arrays.copyOfRange(ids, ids.length - most, ids.length) : Arrays.copyOf(ids, most);
    }

    /** The texts of the options as the checkpoints have seen them. */
    static List<String> rendered(DecisionQuestion question) {
        return question.options().stream().map(option -> switch (question.kind()) {
            case CHOICE -> option.text().isEmpty() ? option.name() : option.name() + ": " + option.text();
            case SCORE -> "level " + option.name() + ": " + option.text();
            case NOUL -> option.name() + ": " + yesNo(option);
        }).toList();
    }

    private static String yesNo(Option option) {
        return !option.text().isEmpty() ? option.text()
                : option.name().equals("true") ? "yes, the statement holds" : "no, the statement does not hold";
    }

    /** A user's text: its control tokens are text, and a marker in it is a space. */
    private int[] tokens(String text) {
        return tokenizer.encodeAsText(text.replace(maskText, " "));
    }

    private static int length(List<int[]> parts) {
        return parts.stream().mapToInt(part -> part.length).sum();
    }

    private static int[] join(int[]... parts) {
        return Stream.of(parts).flatMapToInt(IntStream::of).toArray();
    }
}
