package io.peft4j.cli;

import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatMessage;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j chat}: a talk with a model, or with the base model and an adapter side by side. */
@Command(name = "chat", sortOptions = false, description = {"Talks with a model, line by line.",
    "With --adapter, each message is answered by the adapter and by the base model; each continues with its own "
            + "answers. /base, /adapter and /both choose who answers, /reset starts over, /exit or the end of the "
            + "input ends."})
final class ChatCommand extends PeftCommand {
    private static final String BASE = "base";
    private static final String ADAPTER = "adapter";

    @Mixin
    private AdaptedModelOptions model;

    @Mixin
    private AnswerOptions answer;

    @Option(names = "--system", paramLabel = "TEXT", description = "A system message to begin with.")
    private String system;

    @Override
    public Integer call() {
        GenerationOptions options = answer.generation(this);
        return model.with(console(), (adapted, base) -> {
            Map<String, LanguageModel> models = new TreeMap<>(Map.of(BASE, base));
            if (adapted != base) {
                models.put(ADAPTER, adapted);
            }
            return talk(models, options);
        });
    }

    private int talk(Map<String, LanguageModel> models, GenerationOptions options) {
        Map<String, List<ChatMessage>> talks = new TreeMap<>();
        List<String> answering = List.copyOf(models.keySet());
        reset(talks, models);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = read(lines); line != null && !line.equals("/exit"); line = read(lines)) {
            switch (line) {
                case "" -> {
                }
                case "/reset" -> reset(talks, models);
                case "/both" -> answering = List.copyOf(models.keySet());
                case "/base", "/adapter" -> answering = choose(line.substring(1), models, answering);
                default -> {
                    if (line.startsWith("/")) {
                        console().say("unknown command %s; there are /base, /adapter, /both, /reset and /exit", line);
                    } else {
                        for (String name : answering) {
                            answer(name, models, talks.get(name), line, options);
                        }
                    }
                }
            }
        }
        return 0;
    }

    private List<String> choose(String name, Map<String, LanguageModel> models, List<String> now) {
        if (models.containsKey(name)) {
            return List.of(name);
        }
        console().say("there is no adapter; start with --adapter DIR to compare it with the base model");
        return now;
    }

    private void reset(Map<String, List<ChatMessage>> talks, Map<String, LanguageModel> models) {
        for (String name : models.keySet()) {
            talks.put(name, new ArrayList<>(system == null ? List.of() : List.of(ChatMessage.system(system))));
        }
    }

    private void answer(String name, Map<String, LanguageModel> models, List<ChatMessage> talk, String message,
            GenerationOptions options) {
        Console console = console();
        talk.add(ChatMessage.user(message));
        if (models.size() > 1) {
            console.out().print(name + ": ");
        }
        Completion completion = models.get(name).generate(List.of(Prompt.chat(talk)),
                options.withListener((index, piece) -> {
                    console.out().print(piece);
                    return !console.out().checkError();
                })).get(0);
        console.out().println(answer.cut(completion).map(cut -> " [" + cut + "]").orElse(""));
        console.checkOut();
        talk.add(ChatMessage.assistant(completion.text()));
    }

    private String read(BufferedReader lines) {
        if (Console.isTypedTo()) {
            console().err().print("> ");
            console().err().flush();
        }
        try {
            String line = lines.readLine();
            if (line == null && Console.isTypedTo()) {
                Console.endLine();
            }
            return line == null ? null : line.strip();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the standard input", e);
        }
    }
}
