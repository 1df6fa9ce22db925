//! A server that answers as EC2 does (moto), and what Terraform would have built on it.

use std::ffi::OsString;
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use e2e::{Guarded, ReservedPort, Workspace};
use serde_json::{Value, json};

use crate::installed::installed;
use crate::rendered::{render, run, said, succeed};

pub(crate) const REGION: &str = "eu-west-1";
const START_LIMIT: Duration = Duration::from_mins(2);

/// The server, for as long as the value lives.
pub(crate) struct Cloud {
    pub(crate) endpoint: String,
    pub(crate) workspace: Workspace,
    _server: Guarded,
    _port: ReservedPort,
}

impl Cloud {
    /// An empty one.
    pub(crate) fn start() -> Self {
        let workspace = Workspace::create("cloud").expect("a workspace");
        let port = ReservedPort::any().expect("a port");
        let arguments = ["-H", "127.0.0.1", "-p", &port.number().to_string()].map(OsString::from);
        let mut server = Guarded::spawn(
            "moto",
            python("moto_server").as_os_str(),
            &arguments,
            &[],
            workspace.path(),
        )
        .expect("moto");
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port.number())).is_err() {
            let ended = server.try_wait().expect("the server");
            assert!(
                ended.is_none() && started.elapsed() < START_LIMIT,
                "{}",
                server.stderr()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
        Self {
            endpoint: format!("http://127.0.0.1:{}", port.number()),
            workspace,
            _server: server,
            _port: port,
        }
    }

    /// Builds what Terraform makes of the root that is rendered from the test's topology.
    pub(crate) fn build(&self) {
        let state = self.state();
        succeed(self.cloud("build").arg(state));
    }

    /// The state that Terraform has after it applied the rendered root to mocks.
    fn state(&self) -> PathBuf {
        let folder = render(&self.workspace, &topology(), "terraform-aws", &[]);
        // what Terraform refuses to destroy would stand in the way of its test's end
        let brokers = folder.join("modules/aws-ec2-kafka/main.tf");
        let text = fs::read_to_string(&brokers).expect("the module");
        fs::write(
            &brokers,
            text.replace("prevent_destroy = true", "prevent_destroy = false"),
        )
        .expect("the module");
        let tests = folder.join("tests");
        fs::create_dir_all(&tests).expect("a folder");
        let drift = root().join("e2e/terraform/roots/drift.tftest.hcl");
        fs::copy(drift, tests.join("drift.tftest.hcl")).expect("a copy");
        terraform(&folder, &["init", "-input=false"]);
        let said = terraform(&folder, &["test", "-json", "-verbose"]);
        let state = said
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find_map(|line| line.get("test_state").cloned())
            .unwrap_or_else(|| panic!("no state: {said}"));
        self.workspace
            .write("state.json", state.to_string())
            .expect("a file")
    }

    fn cloud(&self, what: &str) -> Command {
        let mut command = Command::new(python("python"));
        command.arg(root().join("e2e/aws/cloud.py"));
        command.args([&self.endpoint, REGION, what]);
        command
    }

    /// One call of an independent client, and its answer.
    pub(crate) fn call(&self, operation: &str, arguments: &Value) -> Value {
        let mut command = self.cloud("call");
        let answer = run(command.arg(operation).arg(arguments.to_string()));
        let said = said(&answer);
        assert!(answer.status.success(), "{operation} {arguments}: {said}");
        serde_json::from_slice(&answer.stdout).expect("an answer")
    }

    /// The id of the one thing with that tag `Name`; `kind` in AWS's words.
    pub(crate) fn id(&self, kind: &str, name: &str) -> String {
        let filters = json!({"Filters": [
            {"Name": "resource-type", "Values": [kind]},
            {"Name": "key", "Values": ["Name"]},
            {"Name": "value", "Values": [name]},
        ]});
        let answer = self.call("describe_tags", &filters);
        let id = answer["Tags"][0]["ResourceId"].as_str();
        id.unwrap_or_else(|| panic!("no {kind} {name}: {answer}"))
            .to_owned()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What is planned against it.
pub(crate) fn topology() -> PathBuf {
    root().join("e2e/aws/topology.yaml")
}

fn python(program: &str) -> PathBuf {
    installed("MIRRORCTL_MOTO").join(program)
}

fn terraform(folder: &Path, arguments: &[&str]) -> String {
    succeed(
        Command::new("terraform")
            .args(arguments)
            .arg("-no-color")
            .current_dir(folder)
            .env(
                "TF_CLI_CONFIG_FILE",
                installed("MIRRORCTL_TERRAFORM").join("terraformrc"),
            )
            .env("TF_IN_AUTOMATION", "1")
            .env("AWS_EC2_METADATA_DISABLED", "true"),
    )
}
