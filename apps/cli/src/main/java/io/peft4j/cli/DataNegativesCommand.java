package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.Count;
import io.peft4j.core.error.DataException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.model.Task;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.augment.HardNegatives;
import io.peft4j.data.augment.NegativeOptions;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.format.TableColumns;
import io.peft4j.data.task.RowKind;
import io.peft4j.data.task.TaskRows;
import io.peft4j.data.task.TextPair;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code peft4j data mine-negatives}: texts that look like answers and are none. */
@Command(name = "mine-negatives", sortOptions = false, description = {"Adds to each query texts that an embedder takes "
        + "for answers and that are none, for train --objective reranking and contrastive.",
    "Rows are {\"query\", \"positive\"}, {\"anchor\", \"positive\"}, or questions with their answers; written are "
            + "{\"query\", \"positive\", \"negatives\"}. Texts that belong to the query in any row are no negatives."})
final class DataNegativesCommand extends PeftCommand {
    @Parameters(paramLabel = "FILE", description = "The rows.")
    private Path data;

    @Mixin
    private AdaptedModelOptions model;

    @Option(names = "--passages", paramLabel = "FILE", description = "Further texts that are searched: rows of "
            + "{\"text\"}. Default: the positives alone")
    private Path passages;

    @Option(names = "--output", required = true, paramLabel = "FILE", description = "The file of the rows, JSON Lines.")
    private Path output;

    @Mixin
    private ExistingOptions existing;

    @Option(names = "--negatives", paramLabel = "N", defaultValue = "3", description = "Most negatives of a query. "
            + "Default: ${DEFAULT-VALUE}")
    private int negatives;

    @Option(names = "--skip", paramLabel = "N", defaultValue = "0", description = "Leaves out so many of the nearest "
            + "texts, which may be answers that were not marked. Default: ${DEFAULT-VALUE}")
    private int skip;

    @Option(names = "--last-rank", paramLabel = "N", description = "Looks at so many of the nearest texts.")
    private Integer lastRank;

    @Option(names = "--max-score", paramLabel = "X", description = "The highest cosine of a negative.")
    private Double maxScore;

    @Option(names = "--min-score", paramLabel = "X", description = "The lowest cosine of a negative.")
    private Double minScore;

    @Option(names = "--margin", paramLabel = "X", description = "How far a negative's cosine is below that of the "
            + "positive.")
    private Double margin;

    @Option(names = "--relative-margin", paramLabel = "X", description = "The same as a share of the positive's "
            + "cosine, such as 0.05.")
    private Double relativeMargin;

    @Option(names = "--draw", description = "Draws negatives from all remaining texts, in place of the nearest.")
    private boolean draw;

    @Mixin
    private SeedOption seed;

    @Mixin
    private DataInput input;

    @Option(names = "--json", description = "Prints {\"rows\", \"negatives\", \"without\"}.")
    private boolean json;

    @Override
    public Integer call() {
        requireWith("--draw", List.of("--seed"));
        NegativeOptions nearest = fromOptions(() -> NegativeOptions.defaults().withCount(negatives)
                .withSkipped(skip).withLast(lastRank == null ? OptionalInt.empty() : OptionalInt.of(lastRank))
                .withMinScore(number(minScore)).withMaxScore(number(maxScore)).withMargin(number(margin))
                .withRelativeMargin(number(relativeMargin)));
        DataInput.requireOther(output, Stream.of(data, passages == null ? data : passages).toList());
        Path target = existing.choose(output);
        List<TextPair> pairs = pairs();
        List<String> texts = passages == null ? List.of() : TaskRows.plain(input.file(passages, TableColumns.TEXTS));
        return model.forTask(Task.EMBEDDING).with(console(), embedder -> {
            write(target, new HardNegatives(embedder, draw ? nearest.drawn(seed.value()) : nearest).of(pairs, texts));
            return 0;
        });
    }

    private static OptionalDouble number(Double given) {
        return given == null ? OptionalDouble.empty() : OptionalDouble.of(given);
    }

    private List<TextPair> pairs() {
        try (OpenRows rows = OpenRows.open(input.file(data))) {
            if (RowKind.PAIRS.isOf(rows)) {
                return RowKind.PAIRS.read(rows);
            }
        }
        return DataInput.chats(input.file(data)).stream().map(this::pair).toList();
    }

    /** The last question with its answer. */
    private TextPair pair(ChatExample chat) {
        List<ChatMessage> messages = chat.messages();
        int last = messages.size() - 1;
        if (last < 1 || !messages.get(last).role().equals("assistant")
                || !messages.get(last - 1).role().equals("user")) {
            throw new DataException(data, chat.origin().line(), "does not end with a question and its answer");
        }
        return TextPair.of(messages.get(last - 1).content(), messages.get(last).content());
    }

    private void write(Path target, HardNegatives.Mined mined) {
        if (mined.pairs().isEmpty()) {
            throw new DataException(data,
                    "no text is left as a negative of any row; loosen the limits, or add passages");
        }
        AtomicFiles.writeString(target, mined.pairs().stream().map(pair -> row(pair).toString())
                .collect(Collectors.joining("\n", "", "\n")));
        int found = mined.pairs().stream().mapToInt(pair -> pair.negatives().size()).sum();
        if (json) {
            console().print(CommandJson.MAPPER.createObjectNode().put("rows", mined.pairs().size())
                    .put("negatives", found).put("without", mined.without()));
        } else {
            console().say("%s with %s in %s%s", Count.of(mined.pairs().size(), "row"), Count.of(found, "negative"),
                    target, mined.without() == 0 ? "" : "; left out without a negative: " + mined.without());
        }
    }

    private static ObjectNode row(TextPair pair) {
        ObjectNode row = CommandJson.MAPPER.createObjectNode().put("query", pair.anchor())
                .put("positive", pair.positive());
        pair.negatives().forEach(row.putArray("negatives")::add);
        return row;
    }
}
