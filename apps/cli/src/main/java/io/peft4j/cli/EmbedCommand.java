package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Task;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.data.format.TableColumns;
import io.peft4j.data.task.TaskRows;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j embed}: vectors of texts. */
@Command(name = "embed", sortOptions = false, description = {"Makes a vector of each text.",
    "Rows of the data are {\"text\"}; a line {\"embedding\": [...]} each in their order. Pooling, normalization and "
            + "prompts are those of the model's folder."})
final class EmbedCommand extends PeftCommand {
    /** Texts at a time: results come early. */
    private static final int TEXTS = 256;

    @Mixin
    private AdaptedModelOptions model;

    @Option(names = "--data", required = true, paramLabel = "FILE", description = "The rows: JSON Lines, CSV, TSV or "
            + "Parquet.")
    private Path data;

    @Mixin
    private DataInput input;

    @Option(names = "--prompt-name", paramLabel = "NAME",
            description = "A prompt of the model that is put before each text, such as query.")
    private String prompt;

    @Option(names = "--json", description = "As without: a JSON line a row.")
    private boolean json;

    @Override
    public Integer call() {
        List<String> texts = TaskRows.plain(input.file(data, TableColumns.TEXTS));
        return model.forTask(Task.EMBEDDING).with(console(), loaded -> embed(loaded, texts));
    }

    private int embed(LanguageModel loaded, List<String> texts) {
        TextEmbedder embedder = new TextEmbedder(loaded);
        int limit = embedder.maxTokens();
        CutRows.tell(console(), IntStream.range(0, texts.size()).filter(i -> embedder.tokens(texts.get(i),
                Optional.ofNullable(prompt)).length > limit).mapToObj(i -> i + 1).toList(), texts.size(), limit);
        for (int from = 0; from < texts.size(); from += TEXTS) {
            List<String> some = texts.subList(from, Math.min(texts.size(), from + TEXTS));
            Optional.ofNullable(prompt).map(name -> embedder.embed(some, name)).orElseGet(() -> embedder.embed(some))
                    .forEach(vector -> console().print(row(vector)));
        }
        return 0;
    }

    private static ObjectNode row(float[] vector) {
        ObjectNode row = CommandJson.MAPPER.createObjectNode();
        ArrayNode values = row.putArray("embedding");
        for (float value : vector) {
            values.add(value);
        }
        return row;
    }
}
