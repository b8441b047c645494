package io.peft4j.cli;

import io.peft4j.core.error.Count;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.SequenceScorer;
import io.peft4j.data.ScoringRows;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j score}: how likely texts are to a model. */
@Command(name = "score", sortOptions = false, description = {"Scores texts by the summed negative log-likelihood of "
        + "their tokens.",
    "Rows of the data are {\"text\"} (every token after the first, with the tokenizer's default special tokens), "
            + "{\"input_ids\"}, {\"messages\"} (the supervised tokens), or {\"prompt\", \"completion\"} (the tokens "
            + "of the completion).",
    "Of models with a head each line says the row's text, what the model says of it, what is right where the row "
            + "tells (\"gold\"), and the logits: {\"text\", \"label\", \"gold\", \"logits\": [...]} of a classifier "
            + "(\"labels\" where several can be right), {\"tokens\", \"labels\", \"gold\", \"logits\"} of one of "
            + "tokens, with a list for each token, {\"question\", \"answer\", \"gold\", \"start_logits\", "
            + "\"end_logits\"} of one that answers questions on a \"context\"."})
final class ScoreCommand extends PeftCommand {
    @Mixin
    private AdaptedModelOptions model;

    @Option(names = "--data", required = true, paramLabel = "FILE", description = "The rows: JSON Lines, CSV, TSV or "
            + "Parquet.")
    private Path data;

    @Mixin
    private DataInput input;

    @Option(names = "--json", description = "Prints {\"nll\": sum, \"tokens\": number} a row.")
    private boolean json;

    private double total;
    private long tokens;

    @Override
    public Integer call() {
        return model.with(console(), this::score);
    }

    private int score(LanguageModel scored) {
        if (scored.network().task().type().hasHead()) {
            new HeadScores(scored).print(columns -> input.file(data, columns), console());
            return 0;
        }
        try (SequenceScorer scorer = new SequenceScorer(scored, this::print)) {
            new ScoringRows(scored).read(input.file(data), scorer::add);
            scorer.flush();
        }
        if (!json) {
            console().out().printf(Locale.ROOT, "%nin all: nll %.4f, %s, perplexity %.3f%n", total,
                    Count.of(tokens, "token"), Math.exp(total / tokens));
            console().checkOut();
        }
        return 0;
    }

    private void print(SequenceScorer.Score score) {
        total += score.nll();
        tokens += score.tokens();
        if (json) {
            console()
                    .print(CommandJson.MAPPER.createObjectNode().put("nll", score.nll()).put("tokens", score.tokens()));
        } else {
            console().out().printf(Locale.ROOT, "nll %.4f, %s%n", score.nll(), Count.of(score.tokens(), "token"));
            console().checkOut();
        }
    }
}
