// SPDX-License-Identifier: Apache-2.0
import Clouds
import Testing

@Suite("User-data")
struct UserDataTemplateTests {
    @Test("has every placeholder filled, wherever it stands")
    func fills() {
        let template = UserDataTemplate("{{INSTANCE}}{{ADDRESS}} x {{INSTANCE}}\n{{ADDRESS}}")
        #expect(template.filled(instance: "n", address: "1.2.3.4") == "n1.2.3.4 x n\n1.2.3.4")
        #expect(UserDataTemplate("").filled(instance: "n", address: "a") == "")
        #expect(UserDataTemplate("{{INSTANCE}}").filled(instance: "n", address: "a") == "n")
    }

    @Test(
        "never takes a name for a placeholder",
        arguments: [
            "{{ADDRESS}}", "{{INSTANCE}}", "{{INSTANCE}}{{ADDRESS}}", "{{", "}}", "$(id)`id`\n'\"\\", "", "{{INST",
        ]
    )
    func hostileNames(name: String) {
        let template = UserDataTemplate("a={{INSTANCE}};b={{ADDRESS}}")
        #expect(template.filled(instance: name, address: "1.2.3.4") == "a=\(name);b=1.2.3.4")
        #expect(template.filled(instance: "n", address: name) == "a=n;b=\(name)")
    }

    @Test(
        "keeps what only looks like a placeholder",
        arguments: ["{{OTHER}}", "{INSTANCE}", "{{INSTANCE", "{{ INSTANCE }}", "{{{}}}"]
    )
    func foreign(text: String) {
        #expect(UserDataTemplate(text).filled(instance: "n", address: "a") == text)
    }
}
