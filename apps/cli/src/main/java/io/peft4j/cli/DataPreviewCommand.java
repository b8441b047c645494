package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.Count;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.TextExample;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.models.BaseModel;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code peft4j data preview}: shows examples as the model sees them. */
@Command(name = "preview", sortOptions = false, description = {"Shows the first examples as the model sees them, "
        + "with [[ and ]] around the supervised tokens."})
final class DataPreviewCommand extends PeftCommand {
    @Parameters(paramLabel = "FILE", description = "The data: JSON Lines, JSON, CSV or TSV, compressed or not.")
    private Path data;

    @Option(names = "--model", required = true, paramLabel = "ID|DIR|FILE.gguf", description = "Model whose "
            + "tokenizer and chat template are used.")
    private String model;

    @Option(names = "--rows", paramLabel = "N", defaultValue = "3", description = "Number of rows. Default: "
            + "${DEFAULT-VALUE}")
    private int rows;

    @Mixin
    private DataInput input;

    @Mixin
    private LearnedOptions learned;

    @Mixin
    private EngineOptions engine;

    @Option(names = "--json", description = "Prints {\"line\", \"text\", \"tokens\", \"supervised_tokens\"} a row.")
    private boolean json;

    @Override
    public Integer call() {
        try (BaseModel base = engine.load(model, console());
                ExampleReader reader = ExampleReader.open(input.file(data))) {
            ChatEncoder encoder = learned.encoder(base);
            reader.stream().limit(rows).forEach(example -> show(encoder, example instanceof TextExample text
                    ? text.toLearned() : example.toChat().orElseThrow()));
        }
        return 0;
    }

    private void show(ChatEncoder encoder, ChatExample example) {
        TokenSequence sequence = encoder.encode(example);
        String text = encoder.preview(example);
        if (json) {
            ObjectNode line = CommandJson.MAPPER.createObjectNode().put("line", example.origin().line())
                    .put("text", text)
                    .put("tokens", sequence.length()).put("supervised_tokens", sequence.supervisedTokens());
            console().print(line);
        } else {
            console().out().printf("line %d: %s, %d learned%n%s%n%n", example.origin().line(),
                    Count.of(sequence.length(), "token"), sequence.supervisedTokens(), text);
            console().checkOut();
        }
    }
}
