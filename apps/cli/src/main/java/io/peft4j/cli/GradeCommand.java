package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.Count;
import io.peft4j.data.grader.Grader.Grade;
import io.peft4j.data.grader.Grading;
import io.peft4j.data.grader.GradingRows;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j grade}: what a grader says of answers. */
@Command(name = "grade", sortOptions = false, description = {"Grades answers, as an evaluation or a training with "
        + "rewards would.",
    "Rows of the data are {\"item\": {...}, \"sample\": {\"output_text\": \"...\"}}: what was asked, and the answer. "
            + "An answer that cannot be graded has an \"error\" that says why; the exit status is 1 then."})
final class GradeCommand extends PeftCommand {
    @Option(names = "--data", required = true, paramLabel = "FILE", description = "The answers: JSON Lines.")
    private Path data;

    @Mixin
    private DataInput input;

    @Mixin
    private GraderOptions grader;

    @Option(names = "--json", description = "Prints {\"reward\": number} a row, with \"parts\" of a multi grader.")
    private boolean json;

    @Mixin
    private EngineOptions engine;

    @Override
    public Integer call() {
        if (!grader.isGiven()) {
            throw usage("--grader is missing: the file of a grader");
        }
        try (GraderOptions graders = grader) {
            Grading grading = fromOptions(() -> graders.grading(name -> engine.load(name, console())));
            List<Grading.Outcome> outcomes = grading.grade(GradingRows.read(input.file(data)));
            outcomes.forEach(outcome -> console().print(json ? line(outcome).toString() : text(outcome)));
            long failed = outcomes.stream().filter(outcome -> outcome.grade().isEmpty()).count();
            OptionalDouble mean = outcomes.stream().flatMap(outcome -> outcome.grade().stream())
                    .mapToDouble(Grade::reward).average();
            mean.ifPresent(value -> console().say("mean reward %.4f of %s", value, Count.of(
                    outcomes.size() - (int) failed, "answer")));
            if (failed > 0) {
                console().say("%d of %s could not be graded", failed, Count.of(outcomes.size(), "answer"));
            }
            return failed == 0 ? 0 : 1;
        }
    }

    private static ObjectNode line(Grading.Outcome outcome) {
        ObjectNode line = CommandJson.MAPPER.createObjectNode();
        outcome.grade().ifPresentOrElse(grade -> {
            line.put("reward", grade.reward());
            if (!grade.parts().isEmpty()) {
                grade.parts().forEach(line.putObject("parts")::put);
            }
        }, () -> line.putNull("reward"));
        outcome.trouble().ifPresent(trouble -> line.put("error", trouble));
        return line;
    }

    private static String text(Grading.Outcome outcome) {
        return outcome.grade().map(grade -> String.format(Locale.ROOT, "%.4f%s", grade.reward(),
                grade.parts().isEmpty() ? "" : " " + grade.parts())).orElseGet(() -> outcome.trouble().orElse(""));
    }
}
