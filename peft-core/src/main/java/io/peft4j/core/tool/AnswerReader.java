package io.peft4j.core.tool;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Takes an answer apart while it grows: thoughts, content and calls. What may be the beginning of a mark is held back
 * until it is clear what it is. One instance reads one answer.
 */
public final class AnswerReader {
    private static final List<Thought> THOUGHTS = List.of(new Thought("<think>", "</think>"),
            new Thought("<seed:think>", "</seed:think>"), new Thought("[THINK]", "[/THINK]"),
            new Thought("<|channel>thought", "<channel|>"), new Thought("<|START_THINKING|>", "<|END_THINKING|>"),
            new Thought("<|channel|>analysis<|message|>", "<|end|>"),
            new Thought("<|inner_prefix|>", "<|inner_suffix|>"),
            new Thought("<mm:think>", "</mm:think>"), new Thought("<think:opensource>", "</think:opensource>"));

    private final Optional<ToolForm> form;
    private final List<Tool> tools;
    private final List<String> triggers;
    private final Set<String> marks = new LinkedHashSet<>();
    private final StringBuilder text = new StringBuilder();
    private final StringBuilder reasoning = new StringBuilder();
    private final StringBuilder content = new StringBuilder();
    private final List<ToolCall> calls = new ArrayList<>();
    private final List<ParsedAnswer.Wrong> wrong = new ArrayList<>();
    private final List<CallPiece> pieces = new ArrayList<>();
    private Optional<Thought> thought;
    private int at;
    /** Of the part with calls that is being read: how many have been taken. */
    private int taken;
    private int toldReasoning;
    private int toldContent;
    /** How much of the arguments of a call that is not complete has been told; negative when not even its name. */
    private int toldArguments = -1;
    private boolean finished;
    /** Whether the content begins behind a thought or a call, and so without the space in front of it. */
    private boolean follows;

    /** The marks around what a model thinks. */
    private record Thought(String begin, String end) {
    }

    private record Mark(String text, int at) {
    }

    /**
     * What a piece of the answer adds.
     *
     * @param calls begun, or gone on
     */
    public record Piece(String reasoning, String content, List<CallPiece> calls) {
        /** Whether it adds nothing that is known yet. */
        public boolean isEmpty() {
            return reasoning.isEmpty() && content.isEmpty() && calls.isEmpty();
        }
    }

    /**
     * What is added to a call.
     *
     * @param index its number
     * @param name where the call begins
     * @param arguments the next part of the text of its arguments, as JSON
     */
    public record CallPiece(int index, Optional<String> name, String arguments) {
    }

    /**
     * Nothing read yet.
     *
     * @param form how calls are written; empty where none may come
     * @param tools those that may be called; none: any
     * @param prompt what precedes the answer: it may open a thought
     * @param early whether calls are told while they grow: right where a grammar makes sure that they become valid
     *     behind {@link ToolForm#triggers}; others are sent when they are complete, since what is none stays text
     */
    public AnswerReader(Optional<ToolForm> form, List<Tool> tools, String prompt, boolean early) {
        this.form = form;
        this.tools = List.copyOf(tools);
        this.triggers = early && form.isPresent() ? form.get().triggers(tools) : List.of();
        this.thought = opened(prompt);
        form.ifPresent(each -> marks.addAll(each.begins()));
        form.ifPresent(each -> marks.addAll(each.noise()));
        THOUGHTS.forEach(each -> marks.addAll(List.of(each.begin(), each.end())));
    }

    private static Optional<Thought> opened(String prompt) {
        return THOUGHTS.stream().filter(each -> prompt.stripTrailing().endsWith(each.begin())).findFirst();
    }

    /** The mark by which a prompt ends with the beginning of a thought, so that the answer continues it. */
    public static Optional<String> openedThought(String prompt) {
        return opened(prompt).map(Thought::begin);
    }

    /** What thoughts begin with, and what each ends with then. */
    public static Map<String, String> thoughts() {
        return THOUGHTS.stream().collect(Collectors.toMap(Thought::begin, Thought::end, (a, b) -> a,
                LinkedHashMap::new));
    }

    /** Takes the next piece. */
    public Piece accept(String piece) {
        text.append(piece);
        read(false);
        return told();
    }

    /** The answer is complete. */
    public Piece finish() {
        read(true);
        finished = true;
        return told();
    }

    /** What was read. */
    public ParsedAnswer answer() {
        return new ParsedAnswer(shown(), reasoning.toString().strip(), calls, wrong);
    }

    private void read(boolean last) {
        while (true) {
            if (thought.isPresent()) {
                String end = thought.get().end();
                int found = text.indexOf(end, at);
                take(reasoning, found >= 0 ? found : last ? text.length() : text.length() - held(Set.of(end)));
                if (found < 0) {
                    return;
                }
                at = found + end.length();
                thought = Optional.empty();
            }
            Optional<Mark> mark = next();
            if (mark.isEmpty()) {
                take(content, last ? text.length() : text.length() - held(marks));
                return;
            }
            take(content, mark.get().at());
            if (!last && marks.stream().anyMatch(each -> each.length() > text.length() - at
                    && each.startsWith(text.substring(at))) || !pass(mark.get().text(), last)) {
                return;
            }
        }
    }

    private void take(StringBuilder target, int end) {
        if (end > at) {
            add(target, text.substring(at, end));
            at = end;
        }
    }

    private void add(StringBuilder target, String more) {
        if (target == content && content.toString().isBlank()) {
            follows = !calls.isEmpty() || !reasoning.isEmpty();
        }
        target.append(more);
    }

    private Optional<Mark> next() {
        Mark first = new Mark("", text.length());
        for (String mark : marks) {
            int found = text.indexOf(mark, at);
            if (found >= 0 && (found < first.at() || found == first.at() && mark.length() > first.text().length())) {
                first = new Mark(mark, found);
            }
        }
        return first.text().isEmpty() ? Optional.empty() : Optional.of(first);
    }

    /** How many characters at the end may be the beginning of a mark. */
    private int held(Set<String> any) {
        for (int start = Math.max(at, text.length() - 80); start < text.length(); start++) {
            String end = text.substring(start);
            if (any.stream().anyMatch(mark -> mark.startsWith(end))) {
                return end.length();
            }
        }
        return 0;
    }

    /** Goes behind a mark and what it stands for; false where that is not complete. */
    private boolean pass(String mark, boolean last) {
        if (form.isPresent() && form.get().begins().contains(mark)) {
            return calls(mark, last);
        }
        at += mark.length();
        thought = THOUGHTS.stream().filter(each -> each.begin().equals(mark)).findFirst();
        if (THOUGHTS.stream().anyMatch(each -> each.end().equals(mark)) && toldContent == 0 && calls.isEmpty()
                && (form.isEmpty() || !form.get().noise().contains(mark))) {
            // The thought was opened by the prompt.
            reasoning.append(content);
            content.setLength(0);
        }
        return true;
    }

    private boolean calls(String mark, boolean last) {
        Calls found = new Calls(tools);
        Cursor cursor = new Cursor(text.toString(), at, last);
        Optional<String> fault = Optional.empty();
        try {
            form.orElseThrow().read(cursor, found);
        } catch (Cursor.Stop stop) {
            if (stop == Cursor.MORE && !last) {
                tell(found);
                return false;
            }
            fault = Optional.of(stop.getMessage());
        }
        boolean nothing = fault.isPresent() ? !found.isAnyGood() : found.items.isEmpty();
        if (nothing && form.orElseThrow().isBare(mark)) {
            take(content, at + 1);
            return true;
        }
        if (fault.isPresent()) {
            Optional<Integer> end = end(cursor.at);
            if (end.isEmpty() && !last) {
                tell(found);
                return false;
            }
            cursor.at = end.orElse(text.length());
            found.wrong(found.items.isEmpty() ? at : found.items.get(found.items.size() - 1).to(), cursor.at,
                    fault.get());
        }
        tell(found);
        keep(found, cursor.at);
        return true;
    }

    private Optional<Integer> end(int from) {
        return form.orElseThrow().ends().stream().filter(end -> text.indexOf(end, from) >= 0)
                .map(end -> text.indexOf(end, from) + end.length()).min(Integer::compare);
    }

    /** Takes the calls that are complete, and tells them. */
    private void tell(Calls found) {
        // A call that was complete may seem to go on while what ends it has only half come.
        for (Calls.Item item : found.items.subList(Math.min(taken, found.items.size()), found.items.size())) {
            item.call().ifPresent(call -> {
                boolean begun = toldArguments >= 0;
                pieces.add(new CallPiece(calls.size(), begun ? Optional.empty() : Optional.of(call.name()),
                        begun ? compact(item.json()).substring(toldArguments) : call.arguments().toString()));
                calls.add(call);
            });
            toldArguments = -1;
        }
        taken = Math.max(taken, found.items.size());
        if (found.openName.isPresent() && taken == found.items.size()
                && triggers.stream().anyMatch(each -> text.indexOf(each, at) == at)) {
            String json = compact(found.openArguments);
            if (json.length() > toldArguments) {
                pieces.add(new CallPiece(calls.size(), toldArguments < 0 ? found.openName : Optional.empty(),
                        json.substring(Math.max(0, toldArguments))));
                toldArguments = json.length();
            }
        }
    }

    /** JSON, or the beginning of it, without space between its parts. */
    private static String compact(String json) {
        StringBuilder all = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < json.length(); i++) {
            char next = json.charAt(i);
            if (quoted && next == '\\' && i + 1 < json.length()) {
                all.append(next).append(json.charAt(++i));
                continue;
            }
            quoted ^= next == '"';
            if (quoted || !Character.isWhitespace(next)) {
                all.append(next);
            }
        }
        return all.toString();
    }

    /** What is no call stays content; with the marks around it if there is nothing else. */
    private void keep(Calls found, int end) {
        if (!found.isAnyGood()) {
            add(content, text.substring(at, end));
        }
        for (Calls.Item item : found.items) {
            if (item.call().isEmpty()) {
                String written = text.substring(item.from(), item.to());
                wrong.add(new ParsedAnswer.Wrong(written, item.reason()));
                add(content, found.isAnyGood() ? written : "");
            }
        }
        at = end;
        taken = 0;
    }

    /** The content as it is shown: without the space between it and thoughts or calls. */
    private String shown() {
        String all = content.toString();
        if (calls.isEmpty() && reasoning.isEmpty()) {
            return all;
        }
        return follows || all.isBlank() ? all.strip() : all.stripTrailing();
    }

    private Piece told() {
        String all = follows ? content.toString().stripLeading() : content.toString();
        int end = finished ? shown().length() : all.stripTrailing().length();
        String fresh = end > toldContent ? all.substring(toldContent, end) : "";
        toldContent = Math.max(toldContent, end);
        String thoughts = reasoning.toString().strip();
        String more = thoughts.substring(Math.min(toldReasoning, thoughts.length()));
        toldReasoning = Math.max(toldReasoning, thoughts.length());
        List<CallPiece> added = List.copyOf(pieces);
        pieces.clear();
        return new Piece(more, fresh, added);
    }
}
