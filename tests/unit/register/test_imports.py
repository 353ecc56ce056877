"""Systems out of tables, Orthanc's modalities and dcm4chee's devices; what is wrong in them is one line with a place."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from leadglass.configs.source import Source, decoded
from leadglass.errors import ConfigError, UsageError
from leadglass.model.register import Management, Manager, System, SystemKind
from leadglass.register import imports
from leadglass.register.fields import addressed, changed, day, named, port
from leadglass.register.imports import as_text, imported

SPREADSHEET = (
    "\ufeffName;Kind;Owner;Manager;Manager name;Agreement;Agreement until;Addresses;Ports;Controls\r\n"
    'CT 1;modality;"Radiology; Ground floor";business-associate;Example Service;BA-7;2027-01-31;'
    "192.0.2.20, CT1.Example;104 11112;mfa|audit\r\n"
    ";;;;;;;;;\r\n"
    "MR 1;;;;;;;;;\r\n"
)
ORTHANC = """{
  // who may call
  "DicomAet": "ORTHANC", "DicomPort": 4242,
  "DicomModalities": {
    "ct": ["CT1", "192.0.2.20", 104],
    "viewer": {"AET": "VIEWER", "Host": "viewer.example", "Port": 11112}
  }
}"""
DEVICE = {
    "dicomDeviceName": "ct-1",
    "dicomNetworkConnection": [{"cn": "dicom", "dicomHostname": "192.0.2.20", "dicomPort": 104}],
    "dicomNetworkAE": [
        {"dicomAETitle": "CT1", "dicomNetworkConnectionReference": ["/dicomNetworkConnection/0"]}
    ],
}
LDIF = """version: 1
dn: dicomDeviceName=mr-1,cn=Devices,cn=DICOM Configuration,dc=example
objectClass: dicomDevice
dicomDeviceName: mr-1

dn: cn=dicom,dicomDeviceName=mr-1,cn=Devices,cn=DICOM Configuration,dc=example
objectClass: dicomNetworkConnection
cn: dicom
dicomHostname: 192.0.2.30
dicomPort: 11112

dn: dicomAETitle=MR1,dicomDeviceName=mr-1,cn=Devices,cn=DICOM Configuration,dc=example
objectClass: dicomNetworkAE
dicomAETitle: MR1
"""


def systems(text: str, **known: System) -> list[System]:
    return imported(Source("file", text), known)


def test_a_spreadsheets_table_is_read_with_its_mark_and_semicolons() -> None:
    ct, mr = systems(SPREADSHEET)

    assert ct == System(
        "CT 1",
        SystemKind.MODALITY,
        owner="Radiology; Ground floor",
        manager=Manager(Management.BUSINESS_ASSOCIATE, "Example Service", "BA-7", dt.date(2027, 1, 31)),
        addresses=("192.0.2.20", "ct1.example"),
        ports=(104, 11112),
        controls=("mfa", "audit"),
    )
    assert mr == System("MR 1")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_may_be_separated_as_spreadsheets_do(delimiter: str) -> None:
    (found,) = systems(f"name{delimiter}owner\nA{delimiter}'=cmd\n")

    assert found.owner == "=cmd"


@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbfname;owner\r\nZo\xc3\xab;IT\r\n",  # CSV UTF-8
        "name\towner\r\nZoë\tIT\r\n".encode("utf-16"),  # Unicode text
        "sep=;\r\nname;owner\r\nZoë;IT\r\n".encode(),
        '"sep=,"\n"name","owner"\n"Zoë","IT"\n'.encode(),
        "name;owner;;\r\nZoë;IT;;\r\n;;;\r\n".encode(),  # columns and rows that were once used
        "Owner,Name\nIT,Zoë,,,\n".encode(),
    ],
)
def test_a_table_is_read_as_spreadsheets_save_it(raw: bytes) -> None:
    assert imported(decoded("file", raw), {}) == [System("Zoë", owner="IT")]


def test_what_a_spreadsheet_saves_in_an_old_code_page_is_read_and_told() -> None:
    source, remark = as_text("file", "name;note\nKardiologie Süd;“Leitung”, 5 €\n".encode("cp1252"))

    assert imported(source, {}) == [System("Kardiologie Süd", note="“Leitung”, 5 €")]
    assert "Windows-1252" in remark
    assert as_text("file", b"name\nA\n")[1] == ""


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (bytes(range(256)), "byte 128 is not UTF-8; save it as UTF-8"),
        (b"name\n\x81\n", "byte 5 is not UTF-8"),
        ("name\tx\nZoë\t\n".encode("utf-16-le"), "is not UTF-8"),
        (b"PK\x03\x04" + bytes(26), 'a workbook, and no text; save the sheet as "CSV UTF-8"'),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a workbook"),
    ],
)
def test_what_is_no_text_is_told(raw: bytes, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        as_text("file", raw)


def test_columns_may_be_called_as_people_call_them() -> None:
    text = "Name,IP-Address,Host name,Hostname,Port,AE Title,Agreement until\n"
    assert systems(text.replace("Host name,", "") + "CT,192.0.2.1,ct.example,104,CT1,31.1.2027\n") == [
        System(
            "CT",
            manager=Manager(Management.VENDOR, until=dt.date(2027, 1, 31)),
            addresses=("192.0.2.1", "ct.example"),
            ports=(104,),
            titles=("CT1",),
        )
    ]
    with pytest.raises(ConfigError, match="nothing is called 'Host name'"):
        systems(text)
    with pytest.raises(ConfigError, match="two columns are called 'port'"):
        systems("name,Port,port\n")


def test_a_file_of_an_old_macintosh_has_lines_too() -> None:
    assert [system.name for system in systems("name\rA\rB\r")] == ["A", "B"]


def test_modalities_as_an_orthanc_lists_them_are_systems() -> None:
    listed = '{"ct": {"AET": "CT1", "AllowEcho": true, "Host": "192.0.2.7", "Port": 104, "Manufacturer": "Generic"}}'

    assert [(one.name, one.addresses, one.ports) for one in systems(listed)] == [
        ("CT1", ("192.0.2.7",), (104,))
    ]


@pytest.mark.parametrize("text", ['{"Name": "x"}', "[]", '[{"dicomDeviceName": "ct"}]', '{"a": 1}'])
def test_json_of_something_else_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match="JSON, but no configuration or modalities of an Orthanc"):
        systems(text)


def test_a_line_that_names_the_separator_counts_as_a_line() -> None:
    with pytest.raises(ConfigError, match="file, line 3: ports"):
        systems("sep=;\nname;ports\nA;0\n")


def test_an_empty_cell_leaves_what_is_there() -> None:
    known = System("A", owner="Ada", location="cellar")

    assert systems("name,owner,location\nA,,attic\n", A=known) == [System("A", owner="Ada", location="attic")]


def test_orthancs_modalities_are_systems_by_their_titles() -> None:
    found = {system.name: system for system in systems(ORTHANC)}

    assert found["CT1"] == System(
        "CT1", SystemKind.MODALITY, titles=("CT1",), addresses=("192.0.2.20",), ports=(104,)
    )
    assert found["VIEWER"].addresses == ("viewer.example",)


def test_a_title_that_is_no_name_keeps_no_peer_out() -> None:
    (found,) = systems('{"DicomAet": "O", "DicomModalities": {"a": ["*CT&1*", "ct_1", 104]}}')

    assert (found.name, found.titles, found.addresses) == ("CT-1", ("*CT&1*",), ("ct_1",))


def test_a_host_that_a_variable_stands_for_is_left_open() -> None:
    (found,) = systems(LDIF.replace("192.0.2.30", "${HOST}"))

    assert (found.name, found.addresses, found.ports) == ("mr-1", (), (11112,))


def test_what_is_known_of_a_system_stays_beside_what_a_server_knows_of_it() -> None:
    known = System("CT1", owner="Ada", addresses=("192.0.2.9",), ports=(80,))

    ct = next(system for system in systems(ORTHANC, CT1=known) if system.name == "CT1")

    assert (ct.owner, ct.addresses, ct.ports) == ("Ada", ("192.0.2.9", "192.0.2.20"), (80, 104))


def test_devices_of_dcm4chee_are_read_from_both_of_its_forms() -> None:
    (ct,) = systems(json.dumps(DEVICE))
    (mr,) = systems(LDIF)

    assert (ct.name, ct.addresses, ct.ports, ct.titles) == ("ct-1", ("192.0.2.20",), (104,), ("CT1",))
    assert (mr.name, mr.addresses, mr.ports, mr.titles) == ("mr-1", ("192.0.2.30",), (11112,), ("MR1",))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no table of systems"),
        ("owner\nAda\n", "no table of systems"),
        ("name,password\nA,x\n", "file, line 1: nothing is called 'password' here"),
        ("name,ports\nA,104\nB,70000\n", "file, line 3: ports: 70000 is no port"),
        ("name,kind\nA,toaster\n", "file, line 2: kind: 'toaster' is none of: dicom-server"),
        ("name,addresses\nA,1.2.3\n", "file, line 2: addresses: '1.2.3' is neither"),
        ("name,retired\nA,yesterday\n", "file, line 2: retired: 'yesterday' is no day"),
        ("name,owner\n,Ada\n", "file, line 2: name: '' is no name"),
        ("name\nA,x\n", "file, line 2: more cells"),
        ("name,\nA,x\n", "file, line 2: a cell stands in a column that has no name"),
        ("name,owner,Owner\nA,x,y\n", "file, line 1: two columns are called 'owner'"),
        ("sep=;\n", "no table of systems"),
        ('name\n"A\n', "this is no table"),
        ("name,owner\nA,\x1b[31m\n", "file, line 2: owner: this is no line"),
        ("name\n", "no system is named"),
        ('{"DicomAet": "A", "DicomPort": 104}', "no system is named"),
    ],
)
def test_what_is_wrong_in_a_file_is_one_line_with_its_place(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        systems(text)

    assert says in str(error.value)
    assert "\n" not in str(error.value)
    assert str(error.value).isprintable()


def test_a_table_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "_MOST", 9)

    with pytest.raises(ConfigError, match="file, line 11: more than 9 rows"):
        systems("name\n" + "A\n" * 10)


def test_a_field_is_what_it_can_be() -> None:
    assert addressed("2001:DB8:0::1", "x") == "2001:db8::1"
    assert addressed("PACS.example.", "x") == "pacs.example"
    assert named(" CT 1 ", "x") == "CT 1"
    for read, text in ((port, "0"), (port, "٣"), (day, "2026-13-01"), (named, "-x"), (named, "a\nb")):
        with pytest.raises(UsageError):
            read(text, "x")


def test_a_list_without_end_is_refused() -> None:
    with pytest.raises(UsageError, match="more than 256"):
        changed(System("A"), {"ports": " ".join(map(str, range(1, 400)))}, str)


def test_a_managers_name_alone_makes_him_a_vendor_and_keeps_what_he_is() -> None:
    named_ = changed(System("A"), {"manager_name": "X"}, str)

    assert named_.manager == Manager(Management.VENDOR, "X")
    assert changed(named_, {"manager": "in-house"}, str).manager == Manager(Management.IN_HOUSE, "X")
