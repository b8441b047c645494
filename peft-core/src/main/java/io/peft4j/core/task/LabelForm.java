package io.peft4j.core.task;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionQuestion.Kind;
import io.peft4j.core.decision.DecisionRequest;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.decision.PythonJson;
import io.peft4j.core.engine.Engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Transformers' form for any chat model: state and options with labels ({@code A}, {@code B}, ..., or {@code Yes} and
 * {@code No}) in a prompt, and the logits of the labels' tokens where the answer would begin. Questions about one state
 * have the beginning of their prompts in common, which is computed once. Where the settings say so, the options of a
 * choice have the first tokens of their names as labels, which a small model tells apart more easily than letters.
 */
final class LabelForm implements DecisionForm {
    /** Of a pass, beside those of its first question. */
    private static final int MOST_ROWS = 2048;
    private static final int MOST_QUESTIONS = 256;
    private static final String QUESTION = "question";
    private static final Map<String, Object> WITHOUT_THINKING = Map.of("enable_thinking", false);
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Tokenizer tokenizer;
    private final DecisionSettings settings;
    private final ChatTemplate template;
    private final ControlTokens control;
    private final int limit;
    private final String name;
    /** Whether a prompt asks all questions of a request, each with a mark where it is answered. */
    private final boolean together;

    LabelForm(LanguageModel model, DecisionSettings settings) {
        this.tokenizer = model.tokenizer();
        this.settings = settings;
        this.name = model.network().causal().description().name();
        this.template = settings.template().map(tokenizer::template).or(model::chatTemplate)
                .orElseThrow(() -> new ConfigurationException(name + " has no chat template to ask questions with; "
                        + "give it one, or use a model with one"));
        this.together = settings.template().filter(text -> text.matches("(?s).*\\bquestions\\b.*")).isPresent();
        this.control = new ControlTokens(tokenizer, settings.controlTokensAsText());
        try (ModelLease lease = model.lease()) {
            this.limit = lease.maxPositions();
        }
    }

    @Override
    public boolean predictsLabels() {
        return true;
    }

    @Override
    public Encoded encode(JsonNode state, DecisionQuestion question, int... order) {
        return encode(new DecisionRequest(state, Map.of(QUESTION, question)), QUESTION, order);
    }

    /** A prompt of several questions is read up to the mark of this one: what follows has no influence on it. */
    @Override
    public Encoded encode(DecisionRequest request, String name, int... order) {
        DecisionQuestion question = request.questions().get(name);
        LabelPrompt prompt = LabelPrompt.of(question, settings, nameLabels(question), order);
        List<Map<String, Object>> asked = new ArrayList<>();
        int place = 0;
        for (Map.Entry<String, DecisionQuestion> each : request.questions().entrySet()) {
            DecisionQuestion other = each.getValue();
            if (each.getKey().equals(name)) {
                place = asked.size();
                asked.add(prompt.variables(name));
            } else if (together) {
                asked.add(LabelPrompt.of(other, settings, nameLabels(other), IntStream.range(0, other.options().size())
                        .toArray()).variables(each.getKey()));
            }
        }
        return encoded(question, prompt, control.encodeToMark(rendered(request.state(), prompt, asked), place));
    }

    private Encoded encoded(DecisionQuestion question, LabelPrompt prompt, int... ids) {
        if (ids.length + 1 > limit) {
            throw new ConfigurationException("the question '" + question.text() + "' with its text has " + ids.length
                    + " tokens, more than the " + limit + " that " + name + " can read; shorten the text");
        }
        int[] labels = labelIds(prompt.labels());
        int[] outputs = new int[labels.length];
        for (int i = 0; i < labels.length; i++) {
            outputs[prompt.order()[i]] = labels[i];
        }
        int[] answered = Arrays.copyOf(ids, ids.length + 1);
        answered[ids.length] = outputs[0];
        float[] weights = new float[answered.length];
        weights[ids.length] = 1;
        return new Encoded(new TokenSequence(answered, weights), outputs);
    }

    @Override
    public List<String> nameLabels(DecisionQuestion question) {
        if (question.kind() != Kind.CHOICE) {
            return List.of();
        }
        List<String> labels = question.names().stream().map(tokenizer::encodeAsText)
                .map(ids -> ids.length == 0 ? "" : tokenizer.decode(Arrays.copyOf(ids, 1), false)).toList();
        boolean apart = labels.stream().distinct().count() == labels.size()
                && labels.stream().allMatch(label -> tokenizer.encode(label).length == 1);
        return apart ? labels : List.of();
    }

    private String rendered(JsonNode state, LabelPrompt prompt, List<Map<String, Object>> questions) {
        if (settings.template().isEmpty()) {
            return template.render(List.of(ChatMessage.user(control.marked(prompt.text(state)))), true, List.of(),
                    WITHOUT_THINKING);
        }
        Map<String, Object> variables = new LinkedHashMap<>(WITHOUT_THINKING);
        variables.put("state", control.marked(MAPPER.convertValue(state, Object.class)));
        variables.put(QUESTION, control.marked(questions.get(0)));
        variables.put("questions", control.marked(questions));
        return template.render(List.of(ChatMessage.user("")), true, List.of(), variables);
    }

    private int[] labelIds(List<String> labels) {
        int[] ids = labels.stream().map(tokenizer::encode).filter(found -> found.length == 1)
                .mapToInt(found -> found[0]).distinct().toArray();
        if (ids.length != labels.size()) {
            throw new ConfigurationException("the labels " + labels + " are not distinct single tokens of " + name
                    + "; name others in " + DecisionSettings.FILE);
        }
        return ids;
    }

    @Override
    public List<double[]> logits(Model model, List<Encoded> questions) {
        List<double[]> all = new ArrayList<>();
        try (ModelLease lease = model.lease(); Workspace workspace = model.engine().workspace(Priority.ANSWER)) {
            int from = 0;
            for (int i = 1; i < questions.size(); i++) {
                if (i - from == MOST_QUESTIONS || further(lease, questions.subList(from, i + 1)) > MOST_ROWS) {
                    run(lease, workspace, questions.subList(from, i), all);
                    from = i;
                }
            }
            if (from < questions.size()) {
                run(lease, workspace, questions.subList(from, questions.size()), all);
            }
        }
        return all;
    }

    /** The rows that questions add to those of the first, where beginnings in common are computed once. */
    private static int further(ModelLease model, List<Encoded> batch) {
        return model.layers().prepare(packed(model, batch)).rows() - batch.get(0).sequence().length();
    }

    private static PackedBatch packed(ModelLease model, List<Encoded> batch) {
        return model.network().pack(batch.stream().map(Encoded::sequence).toList());
    }

    private static void run(ModelLease model, Workspace workspace, List<Encoded> batch, List<double[]> all) {
        double[][] found = new double[batch.size()][];
        try (Pass pass = Pass.evaluation(model, workspace, packed(model, batch))) {
            PackedBatch.Targets targets = pass.batch().targets();
            pass.logits(targets.rows(), (first, logits) -> {
                float[] values = io.peft4j.core.array.Arrays.toFloats(logits);
                int columns = logits.columns();
                for (int i = 0; i < values.length / columns; i++) {
                    int at = i * columns;
                    int sequence = targets.sequences()[first + i];
                    found[sequence] = IntStream.of(batch.get(sequence).outputs())
                            .mapToDouble(id -> values[at + id]).toArray();
                }
            });
        }
        all.addAll(List.of(found));
    }

    /**
     * What a prompt is made of.
     *
     * @param question the question
     * @param order the numbers of its options in the order of the prompt
     * @param labels their labels in that order
     */
    private record LabelPrompt(DecisionQuestion question, int[] order, List<String> labels) {
        static LabelPrompt of(DecisionQuestion question, DecisionSettings settings, List<String> names, int... order) {
            boolean named = settings.namesAsLabels() && !names.isEmpty();
            List<String> labels = named ? IntStream.of(order).mapToObj(names::get).toList()
                    : settings.labels(question.kind());
            if (labels.size() < order.length) {
                throw new ConfigurationException("the question '" + question.text() + "' has " + order.length
                        + " options; a model without a head of its own has labels for " + labels.size()
                        + " of a " + question.kind().word() + "; name more in " + DecisionSettings.FILE);
            }
            int[] read = question.kind() == Kind.NOUL
                    ? settings.noulOptions().stream().mapToInt(question::option).toArray() : order;
            return new LabelPrompt(question, read, labels.subList(0, read.length));
        }

        /** The prompt of Transformers for models that bring none, word by word. */
        String text(JsonNode state) {
            List<String> lines = new ArrayList<>();
            lines.add(question.text());
            boolean yesNo = question.kind() == Kind.NOUL;
            for (int i = 0; i < order.length; i++) {
                DecisionQuestion.Option option = question.options().get(order[i]);
                String described = option.text();
                if (yesNo) {
                    String said = !described.isEmpty() || labels.equals(List.of("Yes", "No")) ? described
                            : option.name();
                    lines.add(said.isEmpty() ? "" : labels.get(i) + ": " + said);
                } else {
                    String said = question.kind() == Kind.SCORE ? described
                            : described.isEmpty() ? option.name() : option.name() + ": " + described;
                    lines.add(labels.get(i) + ". " + said);
                }
            }
            lines.removeIf(String::isEmpty);
            return PythonJson.text(state) + "\n\n" + String.join("\n", lines) + "\n" + asked();
        }

        private String asked() {
            String first = labels.get(0);
            String last = labels.get(labels.size() - 1);
            if (question.kind() == Kind.NOUL) {
                return "Answer " + first + " or " + last + " only.";
            }
            boolean letters = IntStream.range(0, labels.size())
                    .allMatch(i -> labels.get(i).equals(Character.toString('A' + i)));
            return "Answer with the " + (letters ? "letter" : "label") + " of the "
                    + (question.kind() == Kind.CHOICE ? "option" : "level") + " that fits best (" + first + " to "
                    + last + ") only.";
        }

        /** The question as a prompt of a model's own sees it. */
        Map<String, Object> variables(String name) {
            Map<String, Object> values = new LinkedHashMap<>();
            values.put("name", name);
            values.put("type", question.kind().word());
            values.put("instructions", MAPPER.convertValue(question.instructions(), Object.class));
            values.put("options", IntStream.of(order).mapToObj(i -> question.options().get(i).name()).toList());
            values.put("labels", labels);
            List<Object> descriptions = new ArrayList<>();
            IntStream.of(order).forEach(i -> descriptions.add(MAPPER.convertValue(question.options().get(i)
                    .description(), Object.class)));
            values.put("descriptions", descriptions);
            return values;
        }
    }

    /**
     * Keeps the control tokens that stand in a user's text apart from those that a prompt writes itself, as
     * Transformers does with {@code sanitize_control_tokens}: they are marked before the prompt is rendered, and become
     * text afterwards.
     */
    private static final class ControlTokens {
        private static final String START = new String(Character.toChars(0xF0000));
        private static final String END = new String(Character.toChars(0xF0001));
        private static final String MARK = "<|mark|>";
        private static final String SPLIT = "<|split|>";
        private static final String NEWLINE = "\n";

        private final Tokenizer tokenizer;
        private final boolean keepsApart;
        private final Pattern tokens;
        private final Pattern marked;

        ControlTokens(Tokenizer tokenizer, boolean keepsApart) {
            this.tokenizer = tokenizer;
            this.keepsApart = keepsApart;
            // The places in a prompt where a model is asked are marked in the same way as control tokens are.
            String any = Stream.concat(IntStream.range(0, tokenizer.vocabSize())
                    .filter(tokenizer::isSpecial).mapToObj(id -> tokenizer.idToToken(id).orElseThrow()),
                    Stream.of(MARK, SPLIT)).distinct()
                    .sorted(Comparator.comparingInt(String::length).reversed()).map(Pattern::quote)
                    .collect(Collectors.joining("|"));
            this.tokens = Pattern.compile(any);
            this.marked = Pattern.compile(START + "(" + any + ")" + END + "|[" + START + END + "]");
        }

        /** A value with all control tokens in its texts marked. */
        Object marked(Object value) {
            if (value instanceof String text) {
                return marked(text);
            }
            if (value instanceof Map<?, ?> map) {
                Map<Object, Object> copy = new LinkedHashMap<>();
                map.forEach((key, each) -> copy.put(key, marked(each)));
                return copy;
            }
            if (value instanceof List<?> list) {
                List<Object> copy = new ArrayList<>();
                list.forEach(each -> copy.add(marked(each)));
                return copy;
            }
            return value;
        }

        /** A text with all control tokens marked. */
        String marked(String text) {
            String plain = text.replace(START, "").replace(END, "");
            return keepsApart ? tokens.matcher(plain).replaceAll(found -> Matcher.quoteReplacement(START + found.group()
                    + END)) : plain.replace(MARK, "").replace(SPLIT, "");
        }

        /**
         * The ids of a prompt up to one of the places where it says itself that the model is asked, or of all of it;
         * parts that it separates are encoded apart.
         *
         * @param mark the number of the place
         */
        int[] encodeToMark(String prompt, int mark) {
            String[] parts = prompt.split("(?<!" + START + ")" + Pattern.quote(MARK), -1);
            if (mark > 0 && mark >= parts.length - 1) {
                throw new ConfigurationException("the prompt has " + Count.of(parts.length - 1, "mark") + " " + MARK
                        + ", and at least " + (mark + 1) + " questions; " + DecisionSettings.TEMPLATE
                        + " writes one behind each question");
            }
            return Stream.of(parts).limit(mark + 1L)
                    .flatMap(part -> Stream.of(part.split("(?<!" + START + ")" + Pattern.quote(SPLIT))))
                    .filter(part -> !part.isEmpty()).flatMapToInt(part -> IntStream.of(encode(part))).toArray();
        }

        /** The ids of a prompt that was rendered from marked texts. */
        private int[] encode(String prompt) {
            Matcher matcher = marked.matcher(prompt);
            IntStream.Builder ids = IntStream.builder();
            int from = 0;
            while (matcher.find()) {
                piece(prompt.substring(from, matcher.start()), from == 0, false).forEach(ids);
                piece(matcher.group(1) == null ? "" : matcher.group(1), false, true).forEach(ids);
                from = matcher.end();
            }
            piece(prompt.substring(from), from == 0, false).forEach(ids);
            return ids.build().toArray();
        }

        /** A piece behind the first is encoded behind a line break, so that no space is put before it. */
        private IntStream piece(String text, boolean first, boolean asText) {
            if (text.isEmpty()) {
                return IntStream.empty();
            }
            if (first) {
                return IntStream.of(tokenizer.encode(text));
            }
            int[] before = tokenizer.encode(NEWLINE);
            int[] ids = asText ? tokenizer.encodeAsText(NEWLINE + text) : tokenizer.encode(NEWLINE + text);
            boolean apart = ids.length > before.length
                    && Arrays.equals(before, Arrays.copyOf(ids, before.length));
            return apart ? IntStream.of(ids).skip(before.length)
                    : IntStream.of(asText ? tokenizer.encodeAsText(text) : tokenizer.encode(text));
        }
    }
}
