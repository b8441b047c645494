package io.peft4j.cli;

import io.peft4j.train.TrainingOptions;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

/**
 * Lists the options of a command below the headings that {@link HelpGroup} gives them: first those that must be given,
 * then the command's own and those that most people change.
 */
final class GroupedOptions {
    private static final String REQUIRED = "Required";
    private static final String OWN = "Options";
    /** What every command has. */
    private static final String EVERY = "Other";
    private static final List<String> FIRST = List.of(REQUIRED, OWN, HelpGroup.DATA, HelpGroup.OUTPUT,
            HelpGroup.TRAINING);
    private static final List<String> FIRST_REQUIRED = List.of("--model", "--data");
    private static final int MANY = 10;

    private GroupedOptions() {
    }

    /** Makes help of a command and all below it list options in groups. */
    static CommandLine on(CommandLine line) {
        line.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, GroupedOptions::render);
        line.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_SYNOPSIS, GroupedOptions::synopsis);
        line.getSubcommands().values().forEach(GroupedOptions::on);
        return line;
    }

    private static String render(Help help) {
        Map<String, List<OptionSpec>> groups = new LinkedHashMap<>();
        FIRST.forEach(heading -> groups.put(heading, new ArrayList<>()));
        for (OptionSpec option : help.commandSpec().options()) {
            if (!option.hidden()) {
                groups.computeIfAbsent(heading(option), heading -> new ArrayList<>()).add(option);
            }
        }
        groups.values().removeIf(List::isEmpty);
        // How every training learns comes before what few trainings have.
        groups.values().forEach(options -> options.sort(Comparator.comparing(
                option -> !(option.userObject() instanceof TrainingOptions.Declared))));
        if (groups.size() < 2) {
            return help.optionList();
        }
        Optional.ofNullable(groups.get(REQUIRED)).ifPresent(options -> options.sort(
                Comparator.comparingInt(GroupedOptions::place)));
        StringBuilder text = new StringBuilder();
        Optional<List<OptionSpec>> other = Optional.ofNullable(groups.remove(EVERY));
        groups.forEach((heading, options) -> append(text, help, heading, options));
        other.ifPresent(options -> append(text, help, EVERY, options));
        return text.toString();
    }

    /** Where there are many options, those that must be given; the list below has all. */
    private static String synopsis(Help help) {
        List<OptionSpec> options = help.commandSpec().options();
        if (options.size() <= MANY) {
            return help.synopsis(help.synopsisHeadingLength());
        }
        String required = options.stream().filter(option -> option.required() && option.group() == null)
                .map(option -> " " + option.longestName() + " " + option.paramLabel()).collect(Collectors.joining())
                + help.commandSpec().argGroups().stream().filter(group -> group.multiplicity().min() > 0)
                        .map(group -> " " + group.synopsis()).collect(Collectors.joining());
        String values = help.commandSpec().positionalParameters().stream()
                .map(value -> value.required() ? " " + value.paramLabel() : " [" + value.paramLabel() + "]")
                .collect(Collectors.joining());
        return help.commandSpec().qualifiedName() + required + " [OPTIONS]" + values + System.lineSeparator();
    }

    private static void append(StringBuilder text, Help help, String heading, List<OptionSpec> options) {
        Help.Layout layout = help.createDefaultLayout();
        layout.addOptions(options, help.parameterLabelRenderer());
        text.append(help.colorScheme().text("@|bold " + heading + ":|@")).append(System.lineSeparator()).append(layout);
    }

    /** The place of an option among those that must be given: model and data first, as in the documents. */
    private static int place(OptionSpec option) {
        int place = FIRST_REQUIRED.indexOf(option.longestName());
        return place < 0 ? FIRST_REQUIRED.size() : place;
    }

    private static boolean isRequired(OptionSpec option) {
        return option.group() == null ? option.required() : option.group().multiplicity().min() > 0;
    }

    /** That of the field, or of the class that declares it. */
    static String heading(OptionSpec option) {
        if (isRequired(option)) {
            return REQUIRED;
        }
        if (option.userObject() instanceof String heading) {
            return heading;
        }
        if (option.userObject() instanceof TrainingOptions.Declared registered) {
            return registered.group();
        }
        if (!(option.userObject() instanceof Field field)) {
            return OWN;
        }
        if (field.getDeclaringClass() == PeftCommand.class || field.getDeclaringClass() == Main.class) {
            return EVERY;
        }
        return Optional.ofNullable(field.getAnnotation(HelpGroup.class))
                .or(() -> Optional.ofNullable(field.getDeclaringClass().getAnnotation(HelpGroup.class)))
                .map(HelpGroup::value).orElse(OWN);
    }
}
