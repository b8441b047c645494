package io.peft4j.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.LogLines;
import io.peft4j.core.error.DataException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is read from a file of conversations, and what is said about one that is wrong. */
class ChatDatasetReadTest {
    private static final String GOOD = "{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}, "
            + "{\"role\": \"assistant\", \"content\": \"a\"}]}";

    @TempDir
    private Path folder;

    @Test
    void allKeysOfARowAreRead() {
        ChatDataset dataset = read("""
                {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q", "name": "Ann"},
                """.strip() + """
                 {"role": "assistant", "content": "a", "weight": 0}, {"role": "assistant", "content": null,
                """.strip() + """
                 "tool_calls": [{"id": "1"}]}, {"role": "tool", "content": "t"}, {"role": "assistant", "content": "b",
                """.strip() + """
                 "weight": 1.0}], "tools": [{"type": "function", "function": null}], "must_contain": "x", "id": null}
                """);
        ChatExample example = dataset.examples().get(0);
        assertEquals(List.of("system", "user", "assistant", "assistant", "tool", "assistant"),
                example.messages().stream().map(ChatMessage::role).toList());
        assertEquals("Ann", example.messages().get(1).extra().get("name"));
        assertEquals("function", example.tools().get(0).get("type"));
        assertEquals("x", example.extra().get("must_contain"));
        assertTrue(example.extra().containsKey("id"));
        assertFalse(ChatExample.isLearned(example.messages().get(2)));
        assertTrue(ChatExample.isLearned(example.messages().get(3)));
        assertTrue(ChatExample.isLearned(example.messages().get(5)));
        assertEquals(5, example.prompt().size());
        assertThrows(UnsupportedOperationException.class, () -> example.extra().put("more", 1));
        assertThrows(UnsupportedOperationException.class, () -> example.tools().get(0).put("more", 1));
    }

    @Test
    void aContentOfTextPartsBecomesOneText() {
        String answer = "{\"role\": \"assistant\", \"content\": [{\"type\": \"text\", \"text\": \"one \"}, "
                + "{\"type\": \"text\", \"text\": \"two\"}]}";
        ChatMessage message = read(rowWithAnswer(answer)).examples().get(0).messages().get(1);
        assertEquals(ChatMessage.assistant("one two"), message);
    }

    @Test
    void byteOrderMarkCarriageReturnsAndBlankLinesAreAccepted() {
        ChatDataset dataset = read("\uFEFF" + GOOD + "\r\n\r\n   \n" + GOOD + "\r\n\n" + GOOD);
        assertEquals(List.of(1L, 4L, 6L), dataset.stream().map(example -> example.origin().line()).toList());
    }

    @Test
    void charactersOfAllPlanesAreRead() {
        String text = "Gr\u00fc\u00dfe \uD83D\uDE00 \u4f60\u597d \u2028 e\u0301";
        ChatDataset dataset = read(GOOD.replace("\"q\"", "\"" + text + "\""));
        assertEquals(text, dataset.examples().get(0).messages().get(0).content());
    }

    // @ stands for the one message of a row, & for what follows good messages.
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {}                                                       | 0  | has no list "messages"
            {"messages": "hello"}                                    | 0  | has no list "messages"
            {"messages": []}                                         | 0  | "messages" is empty
            {"messages": [1]}                                        | 0  | message 1 is not an object
            {"messages": [{"content": "x"}]}                         | 0  | message 1 has no "role"
            @"role": 7, "content": "x"                               | 0  | message 1 has no "role"
            @"role": "bot", "content": "x"                           | 0  | message 1 has the role "bot"
            @"role": "user"                                          | 0  | message 1 (user) has no "content"
            @"role": "user", "content": 7                            | 0  | message 1 (user): the content of a message m
            @"role": "user", "content": "x"                          | 0  | has no assistant message
            @"role": "assistant", "content": " "                     | 0  | message 1 (assistant) has no "content"
            @"role": "assistant", "content": null, "tool_calls": []  | 0  | message 1 (assistant) has no "content"
            @"role": "assistant", "content": "x", "weight": 2        | 0  | message 1 (assistant) has the weight 2
            @"role": "assistant", "content": "x", "weight": true     | 0  | message 1 (assistant) has the weight true
            @"role": "user", "content": "x", "weight": 1             | 0  | message 1 (user) has the weight 1
            @"role": "assistant", "content": "x", "weight": 0        | 0  | every assistant message has weight 0
            @"role": "assistant", "content": [{"type": "image_url"}] | 0  | message 1 (assistant) has a part of type "
            @"role": "assistant", "content": "\\ud83d!"              | 0  | message 1 (assistant) contains \\ud83d,
            &"tools": {}                                             | 0  | "tools" is not a list
            &"tools": [1]                                            | 0  | "tools" holds something that is not an objec
            &"functions": [1]                                        | 0  | "functions" holds something that is not an o
            [{"messages": []}]                                       | 0  | is not a JSON object but a list
            "hello"                                                  | 0  | is not a JSON object
            hello                                                    | 1  | is not valid JSON: Unrecognized token 'hello
            {"messages": [}                                          | 15 | is not valid JSON: Unexpected close marker '
            {"messages": [                                           | 15 | is not valid JSON: Unexpected end-of-input
            {"messages": [], "messages": []}                         | 28 | is not valid JSON: Duplicate
            {"messages": NaN}                                        | 17 | is not valid JSON: Non-standard token 'NaN'
            {"messages": []} {"messages": []}                        | 17 | more JSON follows the object
            {'messages': []}                                         | 2  | is not valid JSON: Unexpected character
            """)
    void invalidRowsAreReportedWithFileLineAndColumn(String row, long column, String message) {
        String whole = row.startsWith("@") ? "{\"messages\": [{" + row.substring(1) + "}]}"
                : row.startsWith("&") ? GOOD.replace("]}", "], " + row.substring(1) + "}") : row;
        String text = GOOD + "\n\n" + whole + "\n" + GOOD + "\n";
        DataException wrong = assertThrows(DataException.class, () -> read(text));
        assertEquals(3, wrong.line());
        assertEquals(column, wrong.column(), wrong.getMessage());
        assertEquals(file(), wrong.file());
        String place = file() + ":3" + (column > 0 ? ":" + column : "") + ": ";
        assertTrue(wrong.getMessage().startsWith(place + message), wrong.getMessage());
        assertFalse(wrong.getMessage().matches(".*(Source:|enable `).*"), wrong.getMessage());
        assertFalse(wrong.getMessage().contains("\n"), wrong.getMessage());
    }

    @Test
    void aRowSpreadOverLinesIsReported() {
        DataException wrong = assertThrows(DataException.class, () -> read("{\n  \"messages\": []\n}\n"));
        assertEquals(1, wrong.line());
        assertTrue(wrong.getMessage().contains("an example must stand on one line"), wrong.getMessage());
    }

    @Test
    void theFirstTenInvalidRowsAreListedTogether() {
        DataException two = assertThrows(DataException.class, () -> read("{}\n" + GOOD + "\n{\"messages\": [}\n"));
        assertEquals(1, two.line());
        assertTrue(two.getMessage().contains("\nMore rows are wrong:\n  " + file() + ":3:15: is not valid JSON"),
                two.getMessage());
        DataException many = assertThrows(DataException.class, () -> read("{}\n".repeat(50)));
        assertTrue(many.getMessage().endsWith("\nThe same in lines 2, 3, 4, 5, 6, 7, 8, 9, 10"
                + "\nand 40 more rows are wrong"), many.getMessage());
        assertEquals(3, many.getMessage().lines().count());
    }

    @Test
    void wrongEncodingIsReportedWithItsLine() throws IOException {
        // Far enough into the file that a reader which decodes in blocks would name an earlier line.
        String text = (GOOD + "\n").repeat(5000) + GOOD.replace("\"q\"", "\"na\u00efve\"") + "\n" + GOOD + "\n";
        Files.write(file(), text.getBytes(StandardCharsets.ISO_8859_1));
        DataException wrong = assertThrows(DataException.class, () -> ChatDataset.read(file()));
        assertEquals(5001, wrong.line());
        assertEquals(GOOD.indexOf("\"q\"") + 4, wrong.column());
        assertTrue(wrong.getMessage().contains("byte 0xEF is not UTF-8 text"), wrong.getMessage());
        Files.write(file(), ("\uFEFF" + GOOD).getBytes(StandardCharsets.UTF_16LE));
        assertEquals(1, ChatDataset.read(file()).size());
        byte[] cut = (GOOD + "\n" + GOOD.replace("q", "\u20ac")).getBytes(StandardCharsets.UTF_8);
        Files.write(file(), java.util.Arrays.copyOf(cut, GOOD.length() + 1 + GOOD.indexOf("q") + 2));
        DataException truncated = assertThrows(DataException.class, () -> ChatDataset.read(file()));
        assertEquals(2, truncated.line());
    }

    @Test
    void aFileWithoutExamplesIsReported() {
        for (String text : List.of("", "\n\n", "\uFEFF", " \r\n")) {
            DataException wrong = assertThrows(DataException.class, () -> read(text));
            assertTrue(wrong.getMessage().startsWith(file() + ": contains no examples"), wrong.getMessage());
        }
    }

    @Test
    void anUnreadableFileIsReported() {
        Path absent = folder.resolve("absent.jsonl");
        assertEquals("cannot read " + absent + ": no such file",
                assertThrows(UncheckedIOException.class, () -> ChatDataset.read(absent)).getMessage());
        assertTrue(assertThrows(DataException.class, () -> ChatDataset.read(folder)).getMessage()
                .startsWith(folder + ": is a folder without a document that can be read"));
        assertEquals("cannot read nothing.jsonl: no such file in " + Path.of("").toAbsolutePath(), assertThrows(
                UncheckedIOException.class, () -> ChatDataset.read(Path.of("nothing.jsonl"))).getMessage());
    }

    @Test
    void aLineWithoutEndIsRefusedBeforeItFillsTheMemory() throws IOException {
        byte[] megabyte = "x".repeat(1 << 20).getBytes(StandardCharsets.UTF_8);
        try (OutputStream out = Files.newOutputStream(file())) {
            out.write((GOOD + "\n").getBytes(StandardCharsets.UTF_8));
            for (int i = 0; i < 40; i++) {
                out.write(megabyte);
            }
            out.write("\n{}\n".getBytes(StandardCharsets.UTF_8));
        }
        DataException wrong = assertThrows(DataException.class, () -> ChatDataset.read(file()));
        assertEquals(2, wrong.line());
        assertTrue(wrong.getMessage().contains("is longer than 16 MB"), wrong.getMessage());
        assertTrue(wrong.getMessage().contains(file() + ":3: has no list"), wrong.getMessage());
    }

    @Test
    void aDeepRowIsRefused() {
        String deep = "{\"messages\": " + "[".repeat(100_000) + "]".repeat(100_000) + "}";
        assertTrue(assertThrows(DataException.class, () -> read(deep)).getMessage().contains("nesting depth"));
    }

    @Test
    void unknownMessageKeysAreKeptWithOneWarning() {
        String row = rowWithAnswer("{\"role\": \"assistant\", \"content\": \"a\", \"wieght\": 0}");
        String logged = String.join("\n", LogLines.of(() -> {
            ChatMessage answer = read(row + "\n" + row).examples().get(0).messages().get(1);
            assertEquals(Map.of("wieght", 0), answer.extra());
        }));
        assertTrue(logged.contains("messages hold keys that the chat format does not have: [wieght]"), logged);
        assertEquals(1, logged.lines().filter(line -> line.contains("wieght")).count());
    }

    private static String rowWithAnswer(String answer) {
        return "{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}, " + answer + "]}";
    }

    private ChatDataset read(String text) {
        try {
            Files.writeString(file(), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return ChatDataset.read(file());
    }

    private Path file() {
        return folder.resolve("chats.jsonl");
    }
}
