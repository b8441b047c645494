package io.peft4j.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tables and bills of materials of a release name what jars include of others. */
class ReleaseContentsTest {
    @TempDir
    Path folder;

    /** A jar with a copy of another library, in a repository. */
    private Path jar() throws IOException {
        Path place = Files.createDirectories(folder.resolve("repository/org/one/outer/1.0"));
        Path jar = place.resolve("outer-1.0.jar");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
            for (String[] artifact : new String[][] {{"org.one", "outer", "1.0"}, {"org.two", "inner", "2.1"}}) {
                zip.putNextEntry(new ZipEntry("META-INF/maven/" + artifact[0] + "/" + artifact[1] + "/pom.properties"));
                zip.write(("groupId=" + artifact[0] + "\nartifactId=" + artifact[1] + "\nversion=" + artifact[2])
                        .getBytes(StandardCharsets.UTF_8));
            }
        }
        Files.writeString(place.resolve("outer-1.0.pom"), "<project><licenses><license><name>MIT</name></license>"
                + "<license><name>BSD</name></license></licenses></project>");
        return jar;
    }

    @Test
    void billsOfMaterialsNameWhatIsInside() throws Exception {
        jar();
        Path json = Files.writeString(folder.resolve("bom.json"), """
                {
                  "metadata" : {
                    "component" : {
                      "purl" : "pkg:maven/org.one/outer@1.0?type=jar"
                    }
                  },
                  "components" : [
                    {
                      "name" : "outer",
                      "purl" : "pkg:maven/org.one/outer@1.0?type=jar",
                      "type" : "library"
                    }
                  ]
                }
                """);
        Path xml = Files.writeString(folder.resolve("bom.xml"), """
                <bom>
                  <component type="library">
                    <purl>pkg:maven/org.one/outer@1.0?type=jar</purl>
                  </component>
                </bom>
                """);
        ReleaseContents.main(new String[] {"sbom", folder.resolve("repository").toString(), json.toString(),
            xml.toString()});
        JsonNode inner = new ObjectMapper().readTree(json.toFile()).at("/components/0/components");
        assertEquals("[{\"type\":\"library\",\"group\":\"org.two\",\"name\":\"inner\",\"version\":\"2.1\","
                + "\"purl\":\"pkg:maven/org.two/inner@2.1\"}]", inner.toString());
        assertEquals("""
                <bom>
                  <component type="library">
                    <purl>pkg:maven/org.one/outer@1.0?type=jar</purl>
                      <components><component type="library"><group>org.two</group><name>inner</name>\
                <version>2.1</version><purl>pkg:maven/org.two/inner@2.1</purl></component></components>
                  </component>
                </bom>
                """, Files.readString(xml));
    }

    @Test
    void aPageThatSaysSomethingElseIsFound() throws Exception {
        Path classPath = Files.writeString(folder.resolve("classpath.txt"), jar() + ":/x/target/own.jar\n");
        Path page = Files.writeString(folder.resolve("page.md"), "# Page\n<!-- contents, written by "
                + "ReleaseContents -->\n<!-- end of contents -->\n");
        String[] check = {"check", page.toString(), "one=" + classPath};
        assertThrows(IllegalStateException.class, () -> ReleaseContents.main(check));
        ReleaseContents.main(new String[] {"page", page.toString(), "one=" + classPath});
        ReleaseContents.main(check);
        assertEquals("""
                # Page
                <!-- contents, written by ReleaseContents -->

                | Class path | Jars of others | MB |
                |---|---|---|
                | one | 1 | 0 |

                The largest, in MB: outer 0.

                | Jar | Includes |
                |---|---|
                | outer | inner 2.1 |

                | Licence | Jars |
                |---|---|
                | MIT or BSD | outer |
                <!-- end of contents -->
                """, Files.readString(page));
    }
}
