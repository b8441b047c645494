package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.Count;
import io.peft4j.core.error.DataException;
import io.peft4j.data.augment.Augmentation;
import io.peft4j.data.augment.PassageQuestions;
import io.peft4j.data.augment.PassageRows;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.format.UnfilledRows;
import io.peft4j.models.BaseModel;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code peft4j data from-handbook}: questions and answers out of a handbook. */
@Command(name = "from-handbook", sortOptions = false, description = {"Makes rows of a handbook in PDF, DOCX, XLSX, "
        + "Markdown or HTML. A heading that is a question is one, with the text below it as its answer.",
    "Rows of tables and plain English and German sentences get questions by rule (\"generated\": \"rule\"). Other "
            + "sections become rows for people to fill in, which train refuses until they are; with --model the "
            + "model writes questions for their sentences, kept where the answer is in the text. Such rows carry "
            + "\"generated\": \"model\"; read them before they are trained on. Sentences without a question are "
            + "listed with the reason, and those that tell something stay to fill in."})
final class DataFromHandbookCommand extends PeftCommand {
    @Parameters(paramLabel = "FILE", description = "The handbook: .pdf, .docx, .xlsx, .md or .html, or a folder of "
            + "these.")
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

    @Option(names = "--json", description = "Prints {\"rows\", \"from_headings\", \"by_rule\", \"by_model\", "
            + "\"to_fill_in\", \"statements\", \"with_question\", "
            + "\"without_question\": [{\"line\", \"place\", \"heading\", \"text\", \"reason\", \"to_fill_in\"}]}.")
    private boolean json;

    @Override
    public Integer call() {
        requireWith("--model", List.of("--dtype", "--threads", "--chat-template", "--tool-form"));
        Path target = output.choose(List.of(handbook));
        List<ChatExample> found = DataInput.chats(input.handbook(handbook));
        if (found.isEmpty()) {
            throw new DataException(handbook, "holds no text below a heading, so there is nothing to make rows of");
        }
        PassageRows made = model == null ? PassageQuestions.byRule(found) : written(found);
        long open = unfilled(made.rows());
        long asked = found.size() - unfilled(found);
        long byRule = made.rows().stream().filter(row -> "rule".equals(row.extra().get(Augmentation.MARK))).count();
        long byModel = made.rows().size() - asked - open - byRule;
        List<ChatExample> rows = made.rows().stream()
                .filter(row -> !skipUnfilled || UnfilledRows.unfilled(row).isEmpty())
                .toList();
        if (rows.isEmpty()) {
            throw new DataException(handbook, "gave no row with a question: " + open + " to fill in are left out as "
                    + "--skip-unfilled says");
        }
        RowsOutput.write(output.open(target), rows);
        if (json) {
            ObjectNode line = CommandJson.MAPPER.createObjectNode().put("rows", rows.size()).put("from_headings", asked)
                    .put("by_rule", byRule).put("by_model", byModel).put("to_fill_in", open);
            line.setAll(CommandJson.MAPPER.<ObjectNode>valueToTree(made.counts()));
            console().print(line);
        } else {
            console().say("%s in %s: %d from headings that are questions, %d by rule, %d by the model, %d to fill "
                    + "in%s", Count.of(rows.size(), "row"), target, asked, byRule, byModel, open,
                    skipUnfilled && open > 0 ? ", which are left out" : "");
            console().say("%s", made.summary());
            for (PassageRows.Unasked one : made.unasked()) {
                console().say("  %s:%d%s%s: %s%n      %s", handbook, one.origin().line(), one.place().isEmpty() ? ""
                        : " (" + one.place() + ")", one.toFillIn() ? ", to fill in" : "", one.sentence(),
                        one.reason());
            }
        }
        return 0;
    }

    private static long unfilled(List<ChatExample> rows) {
        return rows.stream().filter(row -> UnfilledRows.unfilled(row).isPresent()).count();
    }

    private PassageRows written(List<ChatExample> found) {
        try (BaseModel base = engine.load(model, console()); DataProgress progress = new DataProgress(console())) {
            return new PassageQuestions(base)
                    .listener((done, all) -> progress.to("asking about " + Count.of(all, "sentence"), done)).of(found);
        }
    }
}
