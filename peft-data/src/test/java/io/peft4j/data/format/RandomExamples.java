package io.peft4j.data.format;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatExample;
import io.peft4j.data.ClassificationExample;
import io.peft4j.data.CompletionExample;
import io.peft4j.data.Example;
import io.peft4j.data.Origin;
import io.peft4j.data.PreferenceExample;
import io.peft4j.data.TextExample;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Examples of all kinds, from a seed. */
final class RandomExamples {
    private static final String[] PIECES = {"a", "Z", "7", " ", "  ", "\t", ",", ";", "\"", "'", "\\", "\n", "\r\n",
        "{", "}", "[", "<b>", "\u00e9", "e\u0301", "\u20ac", "\u4f60", "\uD83D\uDE00", "\u2028", "\u0000", "\uFEFF",
        "=1+1", "null", "|"};

    private final SplittableRandom random;

    RandomExamples(long seed) {
        this.random = new SplittableRandom(seed);
    }

    /** An example of the kind that a format was made for; any of them with small probability elsewhere empty. */
    Example next(DataFormat format) {
        Origin origin = new Origin("random", 1);
        return switch (format) {
            case TEXT -> new TextExample(text(), extra(), origin);
            case CLASSIFICATION -> new ClassificationExample(text(), text(), extra(), origin);
            case COMPLETION -> new CompletionExample(random.nextInt(4) == 0 ? "" : text(), text(), extra(), origin);
            case PREFERENCE -> new PreferenceExample(turns(true, false), List.of(ChatMessage.assistant(text())),
                    List.of(ChatMessage.assistant(text())), tools(), extra(), origin);
            case QA -> new ChatExample(conversation(1, false), List.of(), Map.of("group", text()), origin);
            case ALPACA -> new ChatExample(conversation(1 + random.nextInt(3), false), List.of(), extra(), origin);
            case GEMINI -> new ChatExample(conversation(1 + random.nextInt(3), false), List.of(), extra(), origin);
            case SHAREGPT -> new ChatExample(withCalls(false), tools(), extra(), origin);
            case CHAT -> new ChatExample(withCalls(true), tools(), extra(), origin);
        };
    }

    /** Not blank. */
    String text() {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(12); i >= 0; i--) {
            text.append(PIECES[random.nextInt(PIECES.length)]);
        }
        return text.append("x").append(random.nextInt(10)).toString();
    }

    private Map<String, Object> extra() {
        Map<String, Object> extra = new LinkedHashMap<>();
        if (random.nextBoolean()) {
            extra.put("note", text());
            extra.put("number", random.nextInt());
            extra.put("nothing", null);
            extra.put("nested", Map.of("list", List.of(1, true, text())));
        }
        return extra;
    }

    private List<Map<String, Object>> tools() {
        return random.nextBoolean() ? List.of() : List.of(Map.of("type", "function", "function",
                Map.of("name", text(), "parameters", Map.of("type", "object"))));
    }

    private List<ChatMessage> conversation(int rounds, boolean weights) {
        List<ChatMessage> messages = turns(random.nextBoolean(), false);
        messages.add(ChatMessage.assistant(text()));
        for (int i = 1; i < rounds; i++) {
            messages.add(ChatMessage.user(text()));
            messages.add(weights && random.nextBoolean()
                    ? new ChatMessage("assistant", text(), Map.of("weight", random.nextInt(2)))
                    : ChatMessage.assistant(text()));
        }
        return messages;
    }

    private List<ChatMessage> turns(boolean system, boolean named) {
        List<ChatMessage> messages = new ArrayList<>();
        if (system) {
            messages.add(ChatMessage.system(text()));
        }
        messages.add(named ? new ChatMessage("user", text(), Map.of("name", "Ann")) : ChatMessage.user(text()));
        return messages;
    }

    private List<ChatMessage> withCalls(boolean weights) {
        List<ChatMessage> messages = conversation(1 + random.nextInt(3), weights);
        if (random.nextBoolean()) {
            messages.add(ChatMessage.user(text()));
            messages.add(new ChatMessage("assistant", "", Map.of("tool_calls", List.of(Map.of("type", "function",
                    "function", Map.of("name", text(), "arguments", "{\"a\": 1}"))))));
            messages.add(ChatMessage.tool(text()));
            messages.add(ChatMessage.assistant(text()));
        }
        return messages;
    }
}
