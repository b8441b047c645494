package io.peft4j.cli;

import io.peft4j.cloud.jobs.JobCommands;
import io.peft4j.train.TrainingListener;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** The commands that a container runs, as if they had been typed. */
final class ContainerCommands implements JobCommands {
    private final Interrupts interrupts;
    private final Console console;

    ContainerCommands(Interrupts interrupts, Console console) {
        this.interrupts = interrupts;
        this.console = console;
    }

    @Override
    public Map<String, Form> options() {
        Map<String, Form> forms = new LinkedHashMap<>();
        for (OptionSpec option : Main.commandLine(interrupts, List.of(new TrainCommand())).getSubcommands()
                .get("train").getCommandSpec().options()) {
            if (!option.usageHelp() && !option.inherited()) {
                Form form = option.isMultiValue() ? Form.LIST : option.arity().max() == 0 ? Form.FLAG : Form.VALUE;
                forms.put(option.longestName().substring(2), form);
            }
        }
        return forms;
    }

    @Override
    public Outcome train(List<String> words, TrainingListener listener) {
        return run(new TrainCommand(listener), "train", words, console.out());
    }

    @Override
    public Outcome evaluate(List<String> words, PrintWriter out) {
        return run(new EvaluateCommand(), "evaluate", words, out);
    }

    /** Says what went wrong; the exit status of the job. */
    static int status(Console console, Outcome outcome) {
        if (!outcome.succeeded()) {
            console.say("peft4j: %s", outcome.problem().strip().replaceAll("\\s*\\R\\s*", " "));
        }
        return outcome.succeeded() ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
    }

    private Outcome run(PeftCommand command, String name, List<String> words, PrintWriter out) {
        List<String> problems = new ArrayList<>();
        CommandLine line = Main.commandLine(interrupts, List.of(command)).setOut(out).setErr(console.err());
        line.setParameterExceptionHandler((error, arguments) -> {
            problems.add(error.getMessage());
            return CommandLine.ExitCode.USAGE;
        });
        line.setExecutionExceptionHandler((error, failed, parsed) -> {
            problems.add(Failures.message(error));
            if (!Failures.isExpected(error)) {
                error.printStackTrace(console.err());
            }
            return CommandLine.ExitCode.SOFTWARE;
        });
        List<String> all = new ArrayList<>(List.of(name));
        all.addAll(words);
        int status = line.execute(all.toArray(String[]::new));
        return new Outcome(status, status == 0 ? "" : problems.isEmpty() ? name + " ended with status " + status
                + "; the log says why" : problems.get(0));
    }
}
