package io.peft4j.core.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.ScriptedModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class ChatMessageTest {
    @Test
    void factoriesGiveTheirRole() {
        assertEquals("system", ChatMessage.system("s").role());
        assertEquals("user", ChatMessage.user("u").role());
        assertEquals("assistant", ChatMessage.assistant("a").role());
        assertEquals("tool", ChatMessage.tool("t").role());
    }

    @Test
    void anArgumentThatIsNullIsNamed() {
        LanguageModel model = new ScriptedModel(messages -> "an answer");
        Map<String, Executable> calls = Map.of("userMessage is null; give the text to answer", () -> model
                .generate((String) null), "the content of a message of the role user is null; give a text",
                () -> Prompt.chat(List.of(ChatMessage.user(null))), "messages is null; give the turns so far",
                () -> Prompt.chat(null), "text is null; give the text to continue", () -> Prompt.text(null),
                "ids is null; give the token ids to continue", () -> Prompt.tokens((int[]) null));
        calls.forEach((message, call) -> assertEquals(message, assertThrows(ConfigurationException.class, call)
                .getMessage()));
    }

    @Test
    void extraIsCopiedAndUnmodifiable() {
        List<Object> calls = new ArrayList<>(List.of(Map.of("name", "f")));
        ChatMessage message = new ChatMessage("assistant", "", Map.of("tool_calls", calls));
        calls.clear();
        List<?> kept = (List<?>) message.extra().get("tool_calls");
        assertEquals(1, kept.size());
        assertThrows(UnsupportedOperationException.class, kept::clear);
        assertThrows(UnsupportedOperationException.class, () -> message.extra().put("x", 1));
    }

    @Test
    void aJsonObjectComesBackAsItWas() {
        for (Object content : Arrays.asList("text", null, List.of(Map.of("type", "text", "text", "part")))) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("role", "assistant");
            json.put("content", content);
            json.put("weight", 0);
            assertEquals(json, ChatMessage.fromMap(json).toMap());
        }
    }

    @Test
    void contentThatIsAbsentIsNullAndNotEmpty() {
        ChatMessage message = ChatMessage.fromMap(Map.of("role", "assistant"));
        assertEquals("", message.content());
        assertTrue(message.toMap().containsKey("content") && message.toMap().get("content") == null, message::toString);
    }

    @Test
    void theTextOfPartsIsJoined() {
        Map<String, Object> json = Map.of("role", "user", "content",
                List.of(Map.of("type", "text", "text", "a "), Map.of("type", "image"), "b"));
        assertEquals("a b", ChatMessage.fromMap(json).content());
    }

    @Test
    void newContentReplacesAListOfParts() {
        ChatMessage message = ChatMessage.fromMap(Map.of("role", "user", "content", List.of("x"), "name", "n"));
        assertEquals(Map.of("role", "user", "content", "y", "name", "n"), message.withContent("y").toMap());
    }

    @Test
    void invalidMessagesAreRefused() {
        Exception noRole = assertThrows(IllegalArgumentException.class,
                () -> ChatMessage.fromMap(Map.of("content", "x")));
        assertTrue(noRole.getMessage().contains("role"), noRole.getMessage());
        Exception number = assertThrows(IllegalArgumentException.class,
                () -> ChatMessage.fromMap(Map.of("role", "user", "content", 3)));
        assertTrue(number.getMessage().contains("content"), number.getMessage());
        Exception object = assertThrows(IllegalArgumentException.class,
                () -> new ChatMessage("user", "x", Map.of("a", List.of(new Object()))));
        assertTrue(object.getMessage().contains("extra.a[0]"), object.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new ChatMessage("user", "x", Map.of("role", "system")));
    }

    @Test
    void anEncodingNeedsArraysOfOneLength() {
        assertEquals(1, new Encoding(new int[1], new int[1], new int[1]).length());
        assertThrows(IllegalArgumentException.class, () -> new Encoding(new int[2], new int[1], new int[2]));
    }
}
