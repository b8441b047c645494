package io.peft4j.models.hub;

import static io.peft4j.models.hub.HubDownloadTest.assertContains;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The environment variables of Python's huggingface_hub. */
class HubOptionsTest {
    @TempDir
    Path home;

    @Test
    void defaults() {
        HubOptions options = HubOptions.from(Map.of("HOME", home.toString(), "HF_HOME", " "));
        assertEquals(home.resolve(".cache/huggingface/hub"), options.cacheFolder());
        assertEquals("huggingface.co", options.endpoint().getHost());
        assertEquals(Optional.empty(), options.token());
        assertFalse(options.offline());
    }

    @Test
    void folders() {
        String at = home.toString();
        assertEquals(Path.of("/x/huggingface/hub"),
                HubOptions.from(Map.of("HOME", at, "XDG_CACHE_HOME", "/x")).cacheFolder());
        assertEquals(Path.of("/h/hub"),
                HubOptions.from(Map.of("HOME", at, "XDG_CACHE_HOME", "/x", "HF_HOME", "/h")).cacheFolder());
        assertEquals(home.resolve("c"),
                HubOptions.from(Map.of("HOME", at, "HF_HOME", "/h", "HF_HUB_CACHE", "~/c")).cacheFolder());
    }

    @Test
    void endpoint() {
        assertEquals("http://mirror:8080/hub",
                HubOptions.from(Map.of("HF_ENDPOINT", " http://mirror:8080/hub/ ")).endpoint().toString());
        for (String bad : new String[] {"mirror", "ftp://mirror", "http://a b", "file:/tmp"}) {
            Map<String, String> environment = Map.of("HF_ENDPOINT", bad);
            assertContains(assertThrows(ConfigurationException.class, () -> HubOptions.from(environment)),
                    "HF_ENDPOINT", bad);
        }
    }

    @Test
    void offline() {
        assertTrue(HubOptions.from(Map.of("HF_HUB_OFFLINE", "1")).offline());
        assertTrue(HubOptions.from(Map.of("HF_HUB_OFFLINE", "true")).offline());
        assertTrue(HubOptions.from(Map.of("TRANSFORMERS_OFFLINE", "YES")).offline());
        assertFalse(HubOptions.from(Map.of("HF_HUB_OFFLINE", "0")).offline());
    }

    @Test
    void token() throws IOException {
        Files.writeString(home.resolve("token"), "from_file\n");
        Map<String, String> file = Map.of("HF_HOME", home.toString());
        assertEquals("from_file", HubOptions.from(file).token().orElseThrow());
        HubOptions variable = HubOptions.from(Map.of("HF_HOME", home.toString(), "HF_TOKEN", "from_variable"));
        assertEquals("from_variable", variable.token().orElseThrow());
        assertFalse(variable.toString().contains("from_variable"), variable.toString());
        assertEquals(Optional.empty(),
                HubOptions.from(Map.of("HF_HOME", home.toString(), "HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")).token());
        Path other = Files.writeString(home.resolve("other"), "elsewhere");
        HubOptions path = HubOptions.from(Map.of("HF_HOME", home.toString(), "HF_TOKEN_PATH", other.toString()));
        assertEquals("elsewhere", path.token().orElseThrow());
    }
}
