package io.peft4j.cli;

import io.peft4j.core.io.IfExists;
import io.peft4j.data.report.FindingCode;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Adds the options of a command to what the library says of its settings. The library knows no command line: a message
 * of it calls a setting by its name in Java or in words.
 */
final class OptionNames {
    private static final Pattern CAMEL_CASE = Pattern.compile("\\b[a-z]+(?:[A-Z][a-z]+)+\\b");
    private static final Pattern RENAMED = Pattern.compile("columns can be renamed: (.*)");
    private static final Pattern NEW_NAME = Pattern.compile("(\"[^\"]*\"|[^\\s,\"][^\\s\"]*=[A-Za-z_]+)(, )?");
    private static final Pattern OPTION = Pattern.compile("--[a-z-]+");

    /** What the library says where that is neither the option's name in words nor in Java, and what it means here. */
    private static final Map<Pattern, String> WORDS = new LinkedHashMap<>();

    /** What does what a finding advises. */
    private static final Map<FindingCode, String> COMMANDS = new EnumMap<>(Map.of(
            FindingCode.UNKNOWN_COLUMN, "--column",
            FindingCode.MISSING_MESSAGES, "--column",
            FindingCode.WRONG_ENCODING, "--encoding",
            FindingCode.TOO_LONG, "--max-length",
            FindingCode.UNFILLED_ROW, "peft4j data from-handbook --model",
            FindingCode.DUPLICATE, "peft4j data clean",
            FindingCode.NEAR_DUPLICATE, "peft4j data split --group near",
            FindingCode.CLASSES, "peft4j train --objective classification",
            FindingCode.PII, "peft4j data clean --redact"));

    static {
        words("RunStart\\.RESUME_OR_START", "--resume-or-start");
        for (IfExists choice : IfExists.values()) {
            words("IfExists\\." + choice.name(), ExistingOptions.NAME + " " + choice);
        }
        words("resume the training", "$0 (--resume)");
        words("last answer of each conversation alone", "$0 (--learn last-turn)");
        words("no chat template; give the model one", "$0 (--chat-template FILE)");
        words("give the template a form of tool calls", "$0 (--tool-form NAME)");
        words("read the file as ([\\w-]+)", "read the file with --encoding $1");
        words("or name its encoding", "$0 (--encoding)");
        words("name no encoding", "leave --encoding out");
        words("which is to be renamed", "$0 (--column)");
        words("that is to get this name", "that --column gives this name");
        words("preference training \\(DPO, ORPO or SimPO\\)", "--objective dpo, orpo or simpo");
        words("the objective classification(?= learns)", "--objective classification");
        words("the objective (?=.+; here )", "--objective ");
        words("KTO(?= tells them apart)", "--objective kto");
        words("a model that judges", "$0 (--judge-url and --judge-model)");
    }

    private final CommandSpec command;

    OptionNames(CommandSpec command) {
        this.command = command;
    }

    private static void words(String said, String meant) {
        WORDS.put(Pattern.compile(said), meant);
    }

    /** A message with the options that set what it speaks of, as far as the command has them. */
    String in(String message) {
        String named = CAMEL_CASE.matcher(message).replaceAll(name -> Matcher.quoteReplacement(inJava(name.group())));
        for (String option : command.optionsMap().keySet()) {
            named = Pattern.compile(required(option)).matcher(named).replaceFirst("$0 (" + option + ")");
        }
        for (Map.Entry<Pattern, String> entry : WORDS.entrySet()) {
            if (isHere(entry.getValue())) {
                named = entry.getKey().matcher(named).replaceAll(entry.getValue());
            }
        }
        return isHere("--column") ? RENAMED.matcher(named).replaceAll(columns -> Matcher.quoteReplacement(
                "columns get their names with " + NEW_NAME.matcher(columns.group(1)).replaceAll("--column $1 ")
                        .stripTrailing()))
                : named;
    }

    /** The option that is called as a name in Java, or that name. */
    private String inJava(String name) {
        String option = "--" + name.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
        return isHere(option) ? option : name;
    }

    /** How a message says what the value of an option must be; a single word counts at its beginning only. */
    private static String required(String option) {
        String words = option.replaceFirst("^-+", "").replace('-', ' ');
        return (words.indexOf(' ') < 0 ? "^(?:the )?(?:number of )?" : "\\b") + words + "(?= must | is \\S+; it must )";
    }

    /** What a finding advises, with the option or command that does it. */
    String advice(FindingCode code) {
        String does = COMMANDS.getOrDefault(code, "");
        return does.isEmpty() ? code.advice() : code.advice().replaceFirst("\\.$", " (" + does + ").");
    }

    private boolean isHere(String meant) {
        return OPTION.matcher(meant).results().allMatch(option -> command.findOption(option.group()) != null);
    }
}
