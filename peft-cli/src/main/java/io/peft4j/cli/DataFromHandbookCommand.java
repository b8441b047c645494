package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.Count;
import io.peft4j.core.error.DataException;
import io.peft4j.data.augment.PassageQuestions;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.format.Skeleton;
import io.peft4j.models.BaseModel;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code peft4j data from-handbook}: questions and answers out of a handbook. */
@Command(name = "from-handbook", sortOptions = false, description = {"Makes rows of a handbook in Markdown or HTML. A "
        + "heading that is a question is one, with the text below it as its answer.",
    "Other sections become rows for people to fill in, which train refuses until they are; with --model the model "
            + "writes questions for their sentences, kept where the answer stands in the text. Such rows carry "
            + "\"generated\": \"model\"; read them before they are trained on."})
final class DataFromHandbookCommand extends PeftCommand {
    @Parameters(paramLabel = "FILE", description = "The handbook, .md or .html.")
    private Path handbook;

    @Mixin
    private RowsOutput output;

    @Option(names = "--model", paramLabel = "ID|DIR|FILE.gguf", description = "A chat model that writes questions.")
    private String model;

    @Mixin
    private DataInput input;

    @Mixin
    private EngineOptions engine;

    @Option(names = "--json", description = "Prints {\"rows\", \"from_headings\", \"by_model\", \"to_fill_in\"}.")
    private boolean json;

    @Override
    public Integer call() {
        requireWith("--model", List.of("--dtype", "--threads", "--chat-template"));
        Path target = output.choose(List.of(handbook));
        List<ChatExample> found = input.chats(handbook);
        if (found.isEmpty()) {
            throw new DataException(handbook, "holds no text below a heading, so there is nothing to make rows of");
        }
        List<ChatExample> rows = model == null ? found : written(found);
        output.write(target, rows);
        long open = rows.stream().filter(row -> Skeleton.unfilled(row).isPresent()).count();
        long asked = found.stream().filter(row -> Skeleton.unfilled(row).isEmpty()).count();
        long byModel = rows.size() - asked - open;
        if (json) {
            ObjectNode line = Json.MAPPER.createObjectNode().put("rows", rows.size()).put("from_headings", asked)
                    .put("by_model", byModel).put("to_fill_in", open);
            console().print(line);
        } else {
            console().say("%s in %s: %d from headings that are questions, %d by the model, %d to fill in",
                    Count.of(rows.size(), "row"), target, asked, byModel, open);
        }
        return 0;
    }

    private List<ChatExample> written(List<ChatExample> found) {
        try (BaseModel base = engine.load(model, console()); DataProgress progress = new DataProgress(console())) {
            return new PassageQuestions(base)
                    .listener((done, all) -> progress.to("asking about " + Count.of(all, "sentence"), done)).of(found);
        }
    }
}
