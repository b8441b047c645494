package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.DataException;
import io.peft4j.core.error.support.Count;
import io.peft4j.data.augment.PassageQuestions;
import io.peft4j.data.augment.PassageRows;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.format.support.UnfilledRows;
import io.peft4j.models.BaseModel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code peft4j data from-handbook}: questions and answers out of a handbook. */
@Command(name = "from-handbook", sortOptions = false, description = {"Makes rows of a handbook in PDF, DOCX, XLSX, "
        + "Markdown or HTML. A heading that is a question is one, with the text below it as its answer.",
    "Other sections become rows for people to fill in, which train refuses until they are; with --model the model "
            + "writes questions for their sentences, kept where the answer stands in the text. Such rows carry "
            + "\"generated\": \"model\"; read them before they are trained on. Sentences without a question are listed "
            + "with the reason, and those that tell something stay to fill in."})
final class DataFromHandbookCommand extends PeftCommand {
    @Parameters(paramLabel = "FILE", description = "The handbook: .pdf, .docx, .xlsx, .md or .html.")
    private Path handbook;

    @Mixin
    private RowsOutput output;

    @Option(names = "--model", paramLabel = "ID|DIR|FILE.gguf", description = "A chat model that writes questions.")
    private String model;

    @Option(names = "--skip-unfilled", description = "Leaves out the rows to fill in, so that the others can be "
            + "trained on; they are counted and listed all the same.")
    private boolean skipUnfilled;

    @Mixin
    private DataInput input;

    @Mixin
    private EngineOptions engine;

    @Option(names = "--json", description = "Prints {\"rows\", \"from_headings\", \"by_model\", \"to_fill_in\", "
            + "\"without_question\": [{\"line\", \"place\", \"heading\", \"text\", \"reason\", \"to_fill_in\"}]}.")
    private boolean json;

    @Override
    public Integer call() {
        requireWith("--model", List.of("--dtype", "--threads", "--chat-template"));
        Path target = output.choose(List.of(handbook));
        List<ChatExample> found = input.chats(handbook);
        if (found.isEmpty()) {
            throw new DataException(handbook, "holds no text below a heading, so there is nothing to make rows of");
        }
        PassageRows made = model == null ? new PassageRows(found, List.of()) : written(found);
        long open = unfilled(made.rows());
        long asked = found.size() - unfilled(found);
        long byModel = made.rows().size() - asked - open;
        List<ChatExample> rows = made.rows().stream()
                .filter(row -> !skipUnfilled || UnfilledRows.unfilled(row).isEmpty())
                .toList();
        if (rows.isEmpty()) {
            throw new DataException(handbook, "gave no row with a question: " + open + " to fill in are left out as "
                    + "--skip-unfilled says");
        }
        output.write(target, rows);
        if (json) {
            ObjectNode line = CommandJson.MAPPER.createObjectNode().put("rows", rows.size()).put("from_headings", asked)
                    .put("by_model", byModel).put("to_fill_in", open);
            ArrayNode list = line.putArray("without_question");
            made.unasked().forEach(one -> list.addPOJO(one(one)));
            console().print(line);
        } else {
            console().say("%s in %s: %d from headings that are questions, %d by the model, %d to fill in%s",
                    Count.of(rows.size(), "row"), target, asked, byModel, open,
                    skipUnfilled && open > 0 ? ", which are left out" : "");
            tell(made.unasked());
        }
        return 0;
    }

    private static long unfilled(List<ChatExample> rows) {
        return rows.stream().filter(row -> UnfilledRows.unfilled(row).isPresent()).count();
    }

    private static Map<String, Object> one(PassageRows.Unasked unasked) {
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("line", unasked.origin().line());
        one.put("place", unasked.place());
        one.put("heading", unasked.heading());
        one.put("text", unasked.sentence());
        one.put("reason", unasked.reason());
        one.put("to_fill_in", unasked.toFillIn());
        return one;
    }

    /** Every sentence that got no question, and why. */
    private void tell(List<PassageRows.Unasked> unasked) {
        if (!unasked.isEmpty()) {
            console().say("%s got no question:", Count.of(unasked.size(), "sentence"));
        }
        for (PassageRows.Unasked one : unasked) {
            console().say("  %s:%d%s%s: %s%n      %s", handbook, one.origin().line(), one.place().isEmpty() ? ""
                    : " (" + one.place() + ")", one.toFillIn() ? ", to fill in" : "", one.sentence(), one.reason());
        }
    }

    private PassageRows written(List<ChatExample> found) {
        try (BaseModel base = engine.load(model, console()); DataProgress progress = new DataProgress(console())) {
            return new PassageQuestions(base)
                    .listener((done, all) -> progress.to("asking about " + Count.of(all, "sentence"), done)).of(found);
        }
    }
}
