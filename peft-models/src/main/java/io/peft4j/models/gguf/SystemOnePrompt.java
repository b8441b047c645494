package io.peft4j.models.gguf;

import io.peft4j.core.decision.DecisionQuestion.Kind;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * The prompts of decision models in llama.cpp's form: a template of one question that is given {@code type},
 * {@code instructions}, {@code state} and {@code options}, each with {@code key} and {@code description}, and writes
 * all special tokens out.
 */
final class SystemOnePrompt {
    /** The key of the template in a file. */
    static final String KEY = "tokenizer.chat_template.systemone";
    /** Options labelled A to Z and a to z, {@code true} before {@code false}. */
    static final String TRUE_FIRST = "openjev";
    /** Options labelled A to Z, then by two of these letters, {@code false} before {@code true}. */
    static final String FALSE_FIRST = "nimble";
    private static final List<String> CAPITALS = letters('A', 'Z');
    private static final List<String> MASKS = List.of("[MASK]", "<mask>");
    private static final int MOST_LABELS = 255;
    /** What a prompt may hold that only Transformers reads. */
    private static final List<String> MARKS = List.of("<|mark|>", "<|split|>");

    /** Keeps a line break at the beginning of what follows. */
    private static final String APART = "{{ '' }}";

    /** Transformers' variables by llama.cpp's. */
    private static final String OWN = "{%- for o in options %}{%- set ns.options = ns.options + [o.key] %}"
            + "{%- set ns.labels = ns.labels + [letters[loop.index0]] %}"
            + "{%- set ns.descriptions = ns.descriptions + [o.description] %}{%- endfor %}"
            + "{%- set question = {'name': id, 'type': type, 'instructions': instructions, 'options': ns.options, "
            + "'labels': ns.labels, 'descriptions': ns.descriptions} %}"
            + "{%- set messages = [{'role': 'user', 'content': ''}] %}";

    /** The way back: llama.cpp's variables by Transformers'. */
    private static final String BACK = "{%- set ns = namespace(options=[]) %}{%- for o in question.options %}"
            + "{%- set ns.options = ns.options + [{'key': o, 'description': question.descriptions[loop.index0], "
            + "'label': question.labels[loop.index0]}] %}{%- endfor %}{%- set options = ns.options %}"
            + "{%- set id = question.name %}{%- set type = question.type %}"
            + "{%- set instructions = question.instructions %}{%- set images = [] %}" + APART;

    /** Transformers' prompt for models that bring none, as a message of a chat. */
    private static final String PLAIN = "{%- if state is string %}{%- set ns.text = state %}"
            + "{%- elif state is not none %}{%- set ns.text = state | tojson %}{%- endif %}"
            + "{%- set ns.text = ns.text + '\\n\\n' %}"
            + "{%- if instructions is string and instructions != '' %}"
            + "{%- set ns.text = ns.text + instructions + '\\n' %}"
            + "{%- elif instructions is not none and instructions is not string %}"
            + "{%- set ns.text = ns.text + (instructions | tojson) + '\\n' %}{%- endif %}"
            + "{%- for o in options %}{%- if o.description is string %}{%- set said = o.description %}"
            + "{%- elif o.description is not none %}{%- set said = o.description | tojson %}"
            + "{%- else %}{%- set said = '' %}{%- endif %}"
            + "{%- set ns.text = ns.text + letters[loop.index0] %}"
            + "{%- if type == 'noul' %}{%- set ns.text = ns.text + ': ' + (said if said != '' else o.key) %}"
            + "{%- elif type == 'score' %}{%- set ns.text = ns.text + '. ' + said %}"
            + "{%- else %}{%- set ns.text = ns.text + '. ' + o.key + (': ' + said if said != '' else '') %}"
            + "{%- endif %}{%- set ns.text = ns.text + '\\n' %}{%- endfor %}"
            + "{%- if type == 'noul' %}{%- set ns.text = ns.text + 'Answer A or B only.' %}"
            + "{%- else %}{%- set ns.text = ns.text + 'Answer with the ' + ('letter' if options | length <= 26 else "
            + "'label') + ' of the ' + ('level' if type == 'score' else 'option') + ' that fits best (A to ' "
            + "+ letters[(options | length) - 1] + ') only.' %}{%- endif %}"
            + "{%- set messages = [{'role': 'user', 'content': ns.text}] %}";

    private SystemOnePrompt() {
    }

    private static List<String> letters(char first, char last) {
        return IntStream.rangeClosed(first, last).mapToObj(Character::toString).toList();
    }

    /**
     * The special tokens of a prompt with option markers.
     *
     * @param first before the question
     * @param separator behind it, the options and the state
     * @param mask before an option
     */
    record Tokens(int first, int separator, int mask) {
        /** Those of a tokenizer that has them. */
        static Optional<Tokens> of(Tokenizer tokenizer) {
            int[] ids = tokenizer.encodeWithSpecials("a");
            OptionalInt mask = MASKS.stream().map(tokenizer::tokenToId).filter(OptionalInt::isPresent).findFirst()
                    .orElse(OptionalInt.empty());
            return mask.isEmpty() || ids.length < 3 ? Optional.empty()
                    : Optional.of(new Tokens(ids[0], ids[ids.length - 1], mask.getAsInt()));
        }
    }

    /** Laya's prompt. */
    static String laya(Tokenizer tokenizer, Tokens tokens) {
        String separator = text(tokenizer, tokens.separator());
        return text(tokenizer, tokens.first()) + "{{ type }} question: " + value("instructions") + separator
                + "{% for o in options %}" + text(tokenizer, tokens.mask())
                + " {% if type == 'score' %}level {% endif %}{{ o.key }}"
                + "{% if o.description is not none and o.description != '' %}: " + value("o.description")
                + "{% elif type == 'score' %}: {% elif type == 'noul' %}: {% if o.key == 'true' %}yes, the statement "
                + "holds{% else %}no, the statement does not hold{% endif %}{% endif %}{% endfor %}"
                + separator + value("state") + separator;
    }

    private static String text(Tokenizer tokenizer, int id) {
        return tokenizer.idToToken(id).orElseThrow();
    }

    private static String value(String name) {
        return "{% if " + name + " is string %}{{ " + name + " }}{% elif " + name + " is not none %}{{ " + name
                + " | tojson }}{% endif %}";
    }

    /** Whether a template says what Laya's says, of questions of each kind with and without descriptions. */
    static boolean isLaya(String template, Tokenizer tokenizer, Tokens tokens) {
        ChatTemplate own = tokenizer.template(laya(tokenizer, tokens));
        ChatTemplate other = tokenizer.template(template);
        return Arrays.stream(Kind.values()).allMatch(kind -> {
            List<Object> options = new ArrayList<>();
            for (String key : kind == Kind.NOUL ? List.of("false", "true") : List.of("0", "1")) {
                Map<String, Object> option = new LinkedHashMap<>();
                option.put("key", key);
                option.put("description", key.equals("1") || key.equals("true") ? "said" : null);
                options.add(option);
            }
            if (kind == Kind.SCORE) {
                options.remove(0);
            }
            Map<String, Object> variables = Map.of("id", "q", "type", kind.word(), "instructions", "Which?", "state",
                    Map.of("text", "a"), "options", options, "images", List.of());
            return own.render(List.of(), true, List.of(), variables)
                    .equals(other.render(List.of(), true, List.of(), variables));
        });
    }

    /**
     * The type of chat models that llama.cpp asks as these settings say.
     *
     * @return empty where it has none, since options have other labels than letters by their place
     */
    static Optional<String> type(DecisionSettings settings, Tokenizer tokenizer) {
        boolean trueFirst = settings.noulOptions().get(0).equals("true");
        List<String> known = labels(trueFirst ? TRUE_FIRST : FALSE_FIRST, tokenizer);
        boolean letters = !settings.namesAsLabels() && settings.labels(Kind.NOUL).equals(List.of("A", "B"))
                && Arrays.stream(Kind.values()).map(settings::labels).allMatch(labels -> labels.size() <= known.size()
                        && labels.equals(known.subList(0, labels.size())))
                && settings.template().filter(text -> MARKS.stream().anyMatch(text::contains)).isEmpty();
        return !letters ? Optional.empty() : Optional.of(trueFirst ? TRUE_FIRST : FALSE_FIRST);
    }

    /** The labels of a type, as far as the tokenizer has a token for each. */
    static List<String> labels(String type, Tokenizer tokenizer) {
        List<String> labels = new ArrayList<>(CAPITALS);
        if (type.equals(TRUE_FIRST)) {
            labels.addAll(letters('a', 'z'));
            return labels.stream().allMatch(label -> isToken(tokenizer, label)) ? labels : List.of();
        }
        CAPITALS.forEach(first -> CAPITALS.forEach(second -> labels.add(first + second)));
        return labels.stream().filter(label -> isToken(tokenizer, label)).limit(MOST_LABELS).toList();
    }

    private static boolean isToken(Tokenizer tokenizer, String label) {
        return tokenizer.encode(label).length == 1;
    }

    /** The prompt of a chat model whose options have letters: the settings' own, or the plain one in a chat. */
    static String letters(DecisionSettings settings, Tokenizer tokenizer) {
        if (settings.template().filter(text -> text.startsWith(BACK)).isPresent()) {
            return settings.template().get().substring(BACK.length());
        }
        StringBuilder prompt = new StringBuilder();
        set(prompt, "bos_token", quoted(tokenizer.bosId().stream().mapToObj(id -> text(tokenizer, id)).findFirst()
                .orElse("")));
        set(prompt, "eos_token", quoted(tokenizer.eosId().stream().mapToObj(id -> text(tokenizer, id)).findFirst()
                .orElse("")));
        set(prompt, "enable_thinking", "false");
        set(prompt, "add_generation_prompt", "true");
        set(prompt, "letters", quoted(String.join("", letters('A', 'Z')) + String.join("", letters('a', 'z'))));
        set(prompt, "ns", "namespace(text='', options=[], labels=[], descriptions=[])");
        prompt.append(settings.template().isPresent() ? OWN : PLAIN);
        return prompt.append(APART).append(settings.template()
                .orElseGet(() -> tokenizer.chatTemplate().map(ChatTemplate::source).orElse(""))).toString();
    }

    /** The prompt of a file in Transformers' form. */
    static String template(String prompt) {
        return BACK + prompt;
    }

    private static void set(StringBuilder prompt, String name, String value) {
        prompt.append("{%- set ").append(name).append(" = ").append(value).append(" %}");
    }

    private static String quoted(String text) {
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }
}
