"""The schedules of `agreement-long.pdf`: nine written ones, and twelve service schedules made from facts.

Everything is a plain function of the tables below; there is no chance in it. The result is text in the notation which
`make.py` describes.
"""

DEFINITIONS = """
Acceptance | the signing of a milestone certificate or of a test report without reservation
Affiliate | a company which controls a party, is controlled by it or is under the same control
Authorised Signatory | a person named in Schedule 7 with authority for the value concerned
Business Day | a day other than a Saturday, a Sunday or a public holiday in England
Charges | the sums payable for the services, as stated in the Service Schedules and in clause 12.2
Confidential Information | information disclosed in connection with this Agreement which is marked as confidential or would be understood to be so
Contract Year | a period of twelve months beginning on 1 April
Control Room | the place from which the Customer operates the network of a region
Critical Failure | the event described in clause 6.5
Deliverable | a document, a configuration, a piece of equipment or software which the Provider is to supply
Dependency | something which the Customer is to do so that the Provider can perform
Disaster | an event which makes a primary place of service unusable for more than four hours
Distribution Licence | the licence under which the Customer distributes electricity in a region
Emergency | a situation in which life, safety or the supply of electricity is in danger
Escrow Agent | the independent depositary with which source code is lodged under clause 16.5
Exit Period | the time during which the Provider gives help under Article 28
Good Industry Practice | the skill, care and foresight to be expected of an experienced supplier of similar services
Incident | an interruption of a service, or a reduction of its quality, which was not planned
Key Personnel | the persons named as such in a Service Schedule
Maintenance Window | the hours in which a service may be interrupted for planned work
Milestone | an event in the transition plan to which a date and a certificate belong
Outgoing Supplier | a supplier which performed a similar service before the service start date
Partnership Board | the body described in part A of Schedule 7
Personal Data | information which relates to an identified or identifiable person
Planned Work | work on a service of which at least ten Business Days' notice was given
Priority One | the class of incidents which stop a service for a whole site or endanger safety
Priority Two | the class of incidents which seriously reduce a service without stopping it
Rate Card | the table of day rates in Schedule 3
Regulator | an authority with power over the Customer's licence, safety, security or use of personal data
Relief | the freedom from liability, and the extension of time, described in clause 10.3
Root Cause Report | the account of an incident, its cause and the measures against its return
Security Desk | the team of the Customer which receives reports under clause 20.5
Service Credit | the reduction of the Charges which follows from a missed Service Level
Service Level | a measurable standard of performance stated in a Service Schedule
Service Schedule | a schedule which describes one service at one or more sites, with its price
Site | a place owned or used by the Customer where a service is delivered or received
Step-in | the taking over of a service under Article 26
Switchgear | equipment which connects, disconnects or protects parts of the network
Transition Plan | the plan in Schedule 2 by which the services pass to the Provider
Working Hours | the hours from 08:00 to 18:00 on Business Days
"""

TRANSITION = """
T1 | Mobilisation of the transition team | 20 April 2026 | 4,000.00
T2 | Register of systems and contracts verified | 18 May 2026 | 6,000.00
T3 | Service manuals approved for services S1 to S4 | 15 June 2026 | 6,500.00
T4 | Service desk ready to receive calls | 1 July 2026 | 12,000.00
T5 | Services S1 to S4 taken over | 15 July 2026 | 18,000.00
T6 | Service manuals approved for services S5 to S8 | 10 August 2026 | 6,500.00
T7 | Services S5 to S8 taken over | 1 September 2026 | 18,000.00
T8 | First test of the continuity plan passed | 21 September 2026 | 9,000.00
T9 | Services S9 to S12 taken over | 12 October 2026 | 21,000.00
T10 | Transition closed and lessons recorded | 9 November 2026 | 5,000.00
"""

RATES = """
Service desk analyst | 310.00 | 342.00 | 465.00
Field technician | 385.00 | 425.00 | 577.50
Network engineer | 560.00 | 615.00 | 840.00
Control systems engineer | 690.00 | 760.00 | 1,035.00
Data engineer | 640.00 | 705.00 | 960.00
Security analyst | 675.00 | 742.00 | 1,012.50
Test manager | 610.00 | 671.00 | 915.00
Project manager | 720.00 | 792.00 | 1,080.00
Enterprise architect | 880.00 | 968.00 | 1,320.00
Partner or director | 1,150.00 | 1,265.00 | 1,725.00
"""

DATA = """
Customers of the network | Names, addresses, supply point numbers | Planned and unplanned interruptions | Two years after the event
Customers with special needs | Names, telephone numbers, medical dependency | Priority restoration and welfare calls | Until withdrawal of consent
Employees of the Customer | Names, work contact data, authorisations | Access control and rota planning | Six years after leaving
Contractors on site | Names, employers, safety training | Site entry and permit to work | Three years after the visit
Members of the public | Voice recordings, reports of danger | Emergency telephone line | Twelve months after the call
Landowners | Names, addresses, wayleave payments | Access to lines and cables | Twelve years after the agreement ends
"""

SIGNATORIES = """
Change note up to GBP 25,000.00 | Contract manager | Account director
Change note up to GBP 250,000.00 | Head of operational technology | Account director
Service Schedule up to GBP 2,000,000.00 | Chief information officer | Group Managing Director
Anything above | Chief Executive | Group Managing Director
"""

SUBCONTRACTORS = """
Thistlemoor Fibre Ltd | Repair and splicing of fibre cables | All regions | 31 March 2033
Orrincourt Field Services Ltd | Second-line visits to substations | North and Coast | 31 March 2030
Vellacott Data Halls Ltd | Space and power in the secondary data hall | Netherwick | 31 March 2033
Sundry Lane Print and Post Ltd | Letters to customers about interruptions | All regions | 31 March 2029
Brockhurst Calibration Ltd | Calibration of protection relays | East and Valley | 31 March 2031
Ember and Loom Ltd | User research and training material | All regions | 30 September 2028
"""

CONTINUITY = """
1 | Control room telephony | Fifteen minutes | No loss
2 | Network management system | Thirty minutes | One minute
3 | Outage and fault reporting | One hour | Five minutes
4 | Field mobile data | Two hours | Fifteen minutes
5 | Substation telemetry | Two hours | One minute
6 | Permit to work register | Four hours | Fifteen minutes
7 | Customer notification service | Four hours | One hour
8 | Asset and inspection records | Twelve hours | Four hours
9 | Metering data store | One day | Four hours
10 | Management reporting | Three days | One day
"""

# code, name, region, start, end, annual charge, lead, purpose, scope, special clauses, service levels, dependencies
SERVICES = [
    ("S1", "Control room telephony", "the control rooms at Hollinmere, Sallow Bridge and Coldharbour", "15 July 2026",
     486000, "Ottoline Brackley", "ottoline.brackley@cassavant.example",
     "keep the operational telephone system of the control rooms available at all times, so that an engineer in the field can always reach the engineer who controls the circuit",
     ["operation of the two exchanges and of the consoles on thirty-six desks", "recording of every operational call and its retrieval on request within one Working Hour",
      "a monthly test of the fall-back over satellite", "moves, additions and changes up to forty in each quarter"],
     ["The Provider shall not interrupt both exchanges on the same day, even in a Maintenance Window.",
      "Recordings must be kept for twelve (12) months, and those which the Customer marks as evidence until it releases them.",
      "The Provider shall train two new instructors in each Contract Year, chosen by the Customer from its shift leaders."],
     [("Availability of a control room", "99.995% a month", 9000), ("Answer to a Priority One incident", "Within five minutes", 1500), ("Retrieval of a recording", "95% within one hour", 600)],
     ["a room with two separate feeds of power for each exchange", "a list of authorised extensions, updated each Monday"]),
    ("S2", "Network management system", "all four regions", "15 July 2026", 1240000, "Gwendal Strathmore", "g.strathmore@cassavant.example",
     "operate and improve the system by which the Customer sees the state of its network and switches it",
     ["operation of the primary and of the secondary installation", "correction of the network model when the network changes", "two releases of software in each Contract Year, tested on the training installation first",
      "support on site during storms of category three and above"],
     ["A change of the network model must be checked by a second engineer before it is published.",
      "The Provider shall keep the training installation within one release of the primary one.",
      "The failure of a switching command for reasons in the system shall be reported to the Control Room within two (2) minutes.",
      "The Provider shall not give any person the right to switch without a written instruction of the head of network control."],
     [("Availability of the primary installation", "99.98% a month", 26000), ("Model changes published in time", "98% within three days", 4800), ("Restoration at the secondary site", "Within thirty minutes", 18000)],
     ["single-line diagrams of new equipment ten Business Days before it is energised", "one engineer for each region to accept model changes"]),
    ("S3", "Substation telemetry", "812 substations in the North and Coast regions", "15 July 2026", 967000, "Ibrahim Castellane", "ibrahim.castellane@cassavant.example",
     "collect measurements and alarms from the substations and carry commands to them",
     ["operation of the radio and fibre links down to the outstation", "replacement of ninety outstations in each Contract Year from the list in the service manual", "daily check of silent points, with a visit where the cause is local",
      "stock of spare parts at the depots of Sallow Bridge and Port Hessle"],
     ["No person may enter a compound without the authorisation for the voltage which is present there.",
      "The Provider shall return a failed outstation to service within three (3) days, and within one day where it serves a hospital or a railway.",
      "Batteries must be replaced after eight years or when a test shows less than eighty per cent of their capacity, whichever is the earlier."],
     [("Points reporting at any time", "99.4% of points", 11500), ("Repair of an outstation", "92% within three days", 3900), ("Replacement programme", "At least 22 a quarter", 7250)],
     ["keys and access codes for every compound", "outage of the equipment when work near live parts requires it"]),
    ("S4", "Operational service desk", "all sites", "1 July 2026", 734000, "Philippa Onwuzurike", "desk.lead@cassavant.example",
     "be the single place to which users report incidents and send requests, in person, by telephone and through the portal",
     ["reception of calls on 020 7946 0707 by day and by night", "classification, first help and following-up until the user agrees that the matter is closed", "care of the knowledge base and of the service catalogue",
      "a survey of satisfaction in each quarter, with at least two hundred answers"],
     ["An incident must not be closed without the agreement of the user, or after three attempts to reach the user on different days.",
      "The Provider shall publish the backlog of requests each Monday by 10:00.",
      "During a storm the Provider shall double the number of analysts within two (2) hours of being asked."],
     [("Calls answered within thirty seconds", "90% a month", 5200), ("Incidents solved at the first call", "64% a month", 4100), ("Satisfaction of users", "At least 4.2 of 5", 3300)],
     ["a list of users and of their rights, updated daily", "desks and network access for twelve analysts at Hollinmere"]),
    ("S5", "Outage and fault reporting", "all four regions", "1 September 2026", 655000, "Zebulon Hartigan", "z.hartigan@cassavant.example",
     "tell the public and the staff which customers are without supply, why, and when supply is expected to return",
     ["operation of the public fault map and of the recorded telephone messages", "forecast of restoration times from the history of similar faults", "publication of the figures which the Regulator requires, by the tenth day of each month",
      "operation of the emergency line when more than five hundred calls wait"],
     ["A forecast that has been wrong by more than two hours in a tenth of the cases of a month must be examined, and the finding presented to the service review.",
      "The Provider shall make the fault map usable by people who rely on a screen reader.",
      "The map shall not show the position of a single customer."],
     [("Availability of the fault map", "99.9% a month", 6100), ("Forecasts correct within one hour", "80% of faults", 3700), ("Regulatory figures on time", "Every month", 12500)],
     ["fault records entered within five minutes by the Control Room", "approval of the wording of recorded messages"]),
    ("S6", "Field mobile data", "the field force of about 1,150 people", "1 September 2026", 588000, "Seraphina Dunkeld", "seraphina.dunkeld@cassavant.example",
     "give the people in the field their work orders, maps and safety documents on a device which works without coverage",
     ["supply, repair and replacement of rugged tablets, with forty spare ones in each depot", "operation of the work order application and of its interfaces", "distribution of maps each night and of urgent changes within one hour",
      "remote locking and erasure of lost devices"],
     ["A lost device must be locked within ten (10) minutes of the report.",
      "The Provider shall support the two latest versions of the operating system of the devices.",
      "Work orders entered without coverage shall be sent as soon as coverage returns, and must not be lost when a battery fails."],
     [("Devices in working order", "97.5% at any time", 4600), ("Delivery of urgent map changes", "Within one hour", 2200), ("Replacement of a failed device", "Next Business Day", 1950)],
     ["mobile telephone contracts for the devices", "a store at each depot which can be locked"]),
    ("S7", "Metering data store", "2.3 million supply points", "1 September 2026", 1105000, "Montgomery Achterberg", "m.achterberg@cassavant.example",
     "receive, check, keep and deliver the half-hourly readings on which settlement and planning depend",
     ["receipt of files and messages from the meter operators", "validation and estimation according to the settlement rules", "delivery to settlement, billing and network planning",
      "answers to queries of suppliers within the time which the rules allow"],
     ["The Provider shall estimate a missing reading only by the method in force, and shall mark it as estimated.",
      "Readings must be kept for at least twenty-eight (28) months online and for seven years in the archive.",
      "The Provider shall notify the Customer within four (4) hours if more than one per cent of the readings of a day are missing.",
      "No extract of readings of fewer than ten customers may leave the store without the approval of the data protection officer."],
     [("Readings delivered by 06:00", "99.2% each day", 13200), ("Queries answered in time", "98% a month", 2900), ("Estimated readings", "No more than 1.5%", 8400)],
     ["contracts with the meter operators", "notice of changes of the settlement rules as soon as they are published"]),
    ("S8", "Asset and inspection records", "all four regions", "1 September 2026", 412000, "Clementine Vosper", "clementine.vosper@cassavant.example",
     "keep one trustworthy record of each asset, with its position, condition and history of inspection",
     ["operation of the asset register and of the document archive", "loading of inspections, photographs and test sheets", "comparison of a sample of five hundred assets a quarter with the reality on site",
      "preparation of the data for the annual report to the Regulator"],
     ["An asset record shall not be deleted. It may only be marked as removed, with the date and the reason.",
      "The Provider must load inspections within five (5) days after it has received them.",
      "The owner of each class of asset is named in the service manual, and decides about its attributes."],
     [("Records which agree with the site", "96% of the sample", 5400), ("Inspections loaded in time", "97% within five days", 2100), ("Availability in Working Hours", "99.5% a month", 2600)],
     ["access to the sites of the sample", "a decision on disputed attributes within ten Business Days"]),
    ("S9", "Fibre and radio backbone", "1,940 kilometres of fibre and 63 hill-top radio sites", "12 October 2026", 1378000, "Thaddeus Mwangi-Orr", "t.mwangi@cassavant.example",
     "provide the private communication network which joins the control rooms, the substations and the depots",
     ["watch over the network by day and by night", "repair of cables and of radio equipment", "planning of capacity, with a forecast for three years in each September",
      "care of towers, shelters and standby generators"],
     ["Two paths between the same places must not share a duct, a bridge or a supply of power.",
      "The Provider shall begin the repair of a cut cable within four (4) hours, and shall complete it within eighteen (18) hours.",
      "Towers shall be inspected by a qualified climber once a year, and after every storm of category three and above.",
      "The Provider may not let spare fibres to others without the written consent of the Customer."],
     [("Availability of a protected path", "99.99% a month", 15800), ("Repair of a cut cable", "90% within eighteen hours", 9700), ("Standby generators ready", "Every test passed", 4400)],
     ["wayleaves and rights of access", "fuel for the generators"]),
    ("S10", "Permit to work register", "all sites at which permits are issued", "12 October 2026", 268000, "Araminta Goldsworthy", "a.goldsworthy@cassavant.example",
     "record who may work on which equipment, under which precautions, and that the permit was cancelled before the equipment was energised",
     ["operation of the register on two independent sites", "link to the network management system, so that a circuit under permit cannot be closed by mistake", "reports of permits which are older than seven days",
      "support of safety investigations with complete extracts"],
     ["The register must never show a permit as cancelled unless the holder has signed for it.",
      "The Provider shall make a copy on paper available in each Control Room every two (2) hours.",
      "A change of the rules of the register requires the written approval of the safety manager."],
     [("Availability of the register", "99.97% a month", 7300), ("Extract for an investigation", "Within two hours", 1400), ("Paper copies on time", "99% a month", 900)],
     ["the safety rules and their changes", "a signature card for each authorised person"]),
    ("S11", "Customer notification service", "all four regions", "12 October 2026", 349000, "Evander Pryce-Lockhart", "evander.pl@cassavant.example",
     "send letters, text messages and calls to customers before planned interruptions and during faults",
     ["printing and posting of letters at least ten days before a planned interruption", "text messages during faults, no more than one in two hours", "calls to customers with special needs within the first hour",
      "handling of returned letters and of objections"],
     ["The Provider shall not contact a customer who has objected, except where danger is imminent.",
      "Messages must be available in English and Welsh, and in large print on request.",
      "A letter with a wrong date or a wrong place shall be corrected by a second one at the cost of the Provider."],
     [("Letters posted in time", "99.5% of letters", 3600), ("Calls to customers with special needs", "95% within one hour", 5900), ("Wrong messages", "Fewer than 1 in 10,000", 2500)],
     ["the list of customers with special needs, updated daily", "approval of the templates each January"]),
    ("S12", "Security monitoring", "all systems in services S1 to S11", "12 October 2026", 896000, "Lavinia Stourbridge", "lavinia.stourbridge@cassavant.example",
     "detect, examine and contain attacks on the systems by day and by night",
     ["collection of records from the systems, kept for eighteen months", "examination of alarms by analysts who know the systems", "four exercises in each Contract Year, one of them without warning",
      "a monthly report about threats to the electricity sector"],
     ["The Provider shall begin the examination of a serious alarm within ten (10) minutes.",
      "The Provider shall not disconnect a system which can operate Switchgear without the agreement of the Control Room.",
      "Evidence must be kept so that a court would accept it, and handed only to the Security Desk or to the police.",
      "The Provider shall give the Customer direct access to all records and rules, including after the end of the service."],
     [("Examination of serious alarms", "99% within ten minutes", 8800), ("Sources of records connected", "98% of systems", 3100), ("Exercises held", "At least one a quarter", 6200)],
     ["notice of planned tests of security", "a person at the Security Desk at all times"]),
]

OPENINGS = [
    "The purpose of this service is to {purpose}.",
    "By this service the Provider is to {purpose}.",
    "The Customer buys this service in order to {purpose}.",
]
CHARGING = [
    "The annual Charge for this service is GBP {annual}, invoiced in twelve equal instalments of GBP {month} at the end of each month.",
    "The Customer shall pay an annual Charge of GBP {annual} for this service, in monthly instalments of GBP {month}.",
    "For this service the Provider is paid GBP {annual} in each Contract Year, invoiced as GBP {month} a month in arrears.",
]
REVIEWS = [
    "The parties shall review this Service Schedule on {review}, and may agree changes of scope, of Service Levels and of price with effect from the next Contract Year.",
    "A review of scope and of price takes place on {review}. Until the parties have agreed on a change, this Service Schedule continues as it stands.",
    "On {review} the Provider shall present a comparison of the use of this service with the assumptions on which its price rests.",
]
HANDOVERS = [
    "At the end of this service the Provider shall hand over the configuration, the records and the passwords in one secure delivery, and shall answer questions about them for thirty (30) days free of charge.",
    "The exit plan for this service must name the people who know it, the licences which can be transferred and those which cannot, and the time which an incoming supplier needs before it can take over.",
    "The Provider shall keep the documents of this service in such a state that an incoming supplier with ordinary experience could take over within sixty (60) days.",
    "Equipment which the Customer has paid for passes into its ownership on payment. Equipment which the Provider has leased may be taken over at its written-down value, with the agreement of the lessor.",
]
INCIDENTS = [
    "Incidents of Priority One are worked on without interruption until service is restored, and a Root Cause Report follows within five (5) Business Days.",
    "For each incident of Priority One the Provider shall name an incident manager, who informs the Customer every thirty minutes until it has ended.",
    "Where an incident returns within thirty (30) days, it counts as one class higher than the first time.",
]
CAPACITY = [
    "The price assumes a volume which does not differ by more than fifteen per cent (15%) from that of the year before. Outside of this range the parties shall adjust the Charge in proportion to the cost which the Provider can prove.",
    "The Provider shall tell the Customer when the use of a resource exceeds seventy per cent (70%) of its capacity for more than ten days in a month, with a proposal.",
    "The price includes growth of four per cent (4%) a year. Greater growth is a change under Article 11.",
    "The number of users is not limited. The Provider may ask for a change only if the load, and not the number of users, exceeds what was assumed.",
]


def money(amount):
    return f"{amount:,.2f}"


def rows(text):
    return [line.strip() for line in text.strip().splitlines()]


def table(head, text):
    return [f"| {head}"] + [f"| {row}" for row in rows(text)] + [""]


def paragraphs(*lines):
    out = []
    for line in lines:
        out += [line, ""]
    return out


def written():
    """Schedules 1 to 9."""
    out = ["=== page", "", "## SCHEDULE 1. DEFINITIONS", ""]
    for row in rows(DEFINITIONS):
        term, meaning = row.split(" | ")
        out += [f'"{term}" means {meaning}.', ""]

    out += ["=== page", "", "## SCHEDULE 2. TRANSITION", ""]
    out += paragraphs(
        "1. The Provider shall reach the milestones below by the dates stated. The last column states the delay payment in GBP for each complete week of delay.")
    out += table("No. | Milestone | Date | Delay payment a week", TRANSITION)
    out += paragraphs(
        "2. Until a service has been taken over, the Outgoing Supplier remains responsible for it, and the Provider has the right to watch, to ask questions and to copy documents.",
        "3. The take-over of a service takes place between 01:00 and 05:00 on a day chosen by the Control Room, and must be reversed if the service has not become stable by 05:00.",
        "4. The transition team of the Provider consists of at least eleven people, three of whom have taken over a service of a network operator before.",
        "5. The total of all delay payments shall not exceed GBP 480,000.00.",
        "6. The Customer shall make the contracts with the Outgoing Suppliers available for reading by 27 April 2026, with the prices made illegible where these are confidential.",
        "7. Risks of the transition are kept in a register, which the project managers go through together each Wednesday.")

    out += ["=== page", "", "## SCHEDULE 3. RATE CARD", ""]
    out += paragraphs(
        "1. The rates below are in GBP for a day of eight hours, exclusive of value added tax. The rate for emergencies applies to work which begins on less than four hours' notice, and to work on Sundays and public holidays.")
    out += table("Role | Normal day | Evening or Saturday | Emergency", RATES)
    out += paragraphs(
        "2. Half a day is charged as half of the rate. Travel within a region is not charged.",
        "3. A discount of six per cent (6%) is given on the part of an order which exceeds GBP 150,000.00.",
        "4. Timesheets must be approved by the person who ordered the work before they are invoiced, and a timesheet not refused within ten (10) Business Days counts as approved.",
        "5. Trainees are not charged, unless the Customer has agreed that they replace a person on the Rate Card.")

    out += ["=== page", "", "## SCHEDULE 4. DATA PROTECTION", ""]
    out += paragraphs("Part A. Processing", "1. The Provider processes personal data for the purposes and for the time stated in the table.")
    out += table("Persons | Data | Purpose | Kept until", DATA)
    out += paragraphs(
        "Part B. Measures",
        "2. Data about customers with special needs shall be readable only by the people who make the calls and by their supervisors, and every access must be recorded.",
        "3. Copies for testing must not contain data from which a person can be recognised.",
        "4. Voice recordings shall be encrypted with keys which the Customer holds.",
        "5. The Provider shall check the rights of access of its people in each quarter, and withdraw those which are not needed within two (2) Business Days.",
        "6. The data protection officer of the Provider, Hyacinth Rosewarne, can be reached at dpo@cassavant.example or on 01632 960 208.",
        "Part C. Sub-processors",
        "7. The sub-processors are those companies in Schedule 8 whose purpose requires access to personal data. The Provider shall announce a new one thirty (30) days beforehand, and the Customer may object.",
        "8. The Provider shall assess the risk of each sub-processor once a year, and keep the assessment for the Customer to see.")

    out += ["=== page", "", "## SCHEDULE 5. SITES AND SAFETY", ""]
    out += paragraphs(
        "1. Work on a site is under the control of the senior authorised person of the Customer, whose instructions about safety come before all others.",
        "2. The Provider shall hold a safety briefing before each job, and shall record who attended it.",
        "3. Every accident, every near miss and every damage to the environment must be reported to the safety desk at safety@hollinmere.example within one hour, and in writing within one Business Day.",
        "4. Nobody may work alone in a compound of 33,000 volts or more, in a confined space or at a height of more than two metres.",
        "5. Vehicles shall be parked facing the exit, and keys shall stay with the vehicle while work goes on.",
        "6. The Customer may stop work at any time for reasons of safety. The Provider is paid for the time lost only if the reason was not of its making.",
        "7. The Provider shall replace any protective equipment which has passed its date, at its own cost, and must keep the records of inspection for five (5) years.",
        "8. Waste is removed on the day on which it arises. Oil, batteries and electronic equipment go to licensed carriers, with a consignment note of which the Customer receives a copy.",
        "9. Visitors are accompanied at all times, and children are not admitted except on days announced for the purpose.",
        "10. Each person shall carry the authorisation card, and shall surrender it on the last day of work.")

    out += ["=== page", "", "## SCHEDULE 6. EXIT AND PEOPLE", ""]
    out += paragraphs(
        "Part A. Exit plan",
        "1. The exit plan describes, for each service, the steps, the people, the time and the cost of a transfer to the Customer or to an incoming supplier.",
        "2. The plan is tested once, on paper, in the third Contract Year, and the parties share the cost of the test.",
        "3. The Provider shall answer the questions of bidders for a following agreement within five (5) Business Days, and may not use the process to gain an advantage over them.",
        "Part B. Assets and licences",
        "4. The register of assets shows the owner, the place, the value and the end of support of each item. It must be complete to ninety-eight per cent (98%) by value.",
        "5. Licences bought for the Customer shall be held in its name wherever the licensor permits it.",
        "6. Domain names, telephone numbers and certificates which are used for the services belong to the Customer.",
        "Part C. Transfer of employees",
        "7. The Provider shall give the Customer, on request and at the latest six (6) months before the end of a service, an anonymous list of the people assigned to it, with their terms of employment.",
        "8. In the last six months of a service the Provider must not increase the number of the people assigned to it, or their pay, other than in the ordinary course of business.",
        "9. Each party shall indemnify the other against claims of employees which concern the time for which it was their employer.",
        "10. The Provider shall indemnify the incoming supplier in the same terms as the Customer.")

    out += ["=== page", "", "## SCHEDULE 7. GOVERNANCE AND CHANGE", ""]
    out += paragraphs(
        "Part A. Meetings",
        "1. The operational meeting deals with incidents, planned work and backlog. It lasts for no more than one hour.",
        "2. The service review deals with Service Levels, Service Credits, changes and risks, on the basis of a report sent three (3) Business Days before.",
        "3. The partnership board consists of three members from each party, deals with strategy, disputes and improvement, and meets at the sites of the parties in turn.",
        "Part B. Authority to sign")
    out += table("Document | For the Customer | For the Provider", SIGNATORIES)
    out += paragraphs(
        "Part C. Change request",
        "4. A change request states its number, the date, the person who asks for it, the reason, the services touched, the benefit expected and the latest date for a decision.",
        "5. The assessment of the Provider states the work in days for each role, the price, the effect on Service Levels and on security, the documents to be changed and the way back if the change fails.",
        "6. A change request is void if it has not been decided within ninety (90) days.",
        "7. Urgent changes may be agreed by telephone between the contract manager and the account director, and shall be confirmed in writing by the end of the next Business Day.")

    out += ["=== page", "", "## SCHEDULE 8. APPROVED SUBCONTRACTORS", ""]
    out += table("Company | Purpose | Where | Approved until", SUBCONTRACTORS)
    out += paragraphs(
        "1. An approval ends on the date stated, and is renewed only in writing.",
        "2. The Provider shall inform the Customer of the share of the Charges which goes to each subcontractor, once in each Contract Year.",
        "3. Orrincourt Field Services Ltd may itself use no further subcontractors.",
        "4. The approval of Sundry Lane Print and Post Ltd is subject to an inspection of its mailing hall before 31 August 2026.",
        "5. The Provider must not rely on one subcontractor for more than thirty per cent (30%) of the Charges.")

    out += ["=== page", "", "## SCHEDULE 9. BUSINESS CONTINUITY", ""]
    out += paragraphs("1. After a Disaster the services are restored in this order. The third column states the time until the service works again, the fourth the greatest loss of data, counted backwards from the event.")
    out += table("Order | Service | Restored within | Loss of data", CONTINUITY)
    out += paragraphs(
        "2. The primary data hall is at Foundry Square, Netherwick. The secondary one is at least forty kilometres away, on another part of the national grid and outside of the flood plain of the same river.",
        "3. A test of the plan moves at least three services to the secondary data hall for a complete day, and shall take place before 31 October of each year.",
        "4. Copies of data are made every night, kept for thirty-five (35) days in a place which cannot be changed from the primary data hall, and restored as a trial once a month.",
        "5. The crisis team meets within one hour, in person or by telephone, and is led by the account director until the partnership board decides otherwise.",
        "6. If a restoration takes longer than twice the time in the table, the Provider shall pay the Customer a sum of GBP 30,000.00 for each further day, which counts towards the limit in clause 24.2.")
    return out


def service(index):
    code, name, where, start, annual, lead, mail, purpose, scope, special, levels, needs = SERVICES[index]
    number = 10 + index
    pick = lambda pool, shift=0: pool[(index + shift) % len(pool)]
    review = f"{1 + 3 * (index % 9)} {'September October November'.split()[index % 3]} {2028 + index % 4}"
    phone = f"01632 960 {400 + 17 * index}"
    out = ["=== page", "", f"## SCHEDULE {number}. SERVICE SCHEDULE {code}: {name.upper()}", ""]
    out += ["### 1. Purpose and place", ""]
    out += paragraphs(
        f"{number}.1 " + pick(OPENINGS).format(purpose=purpose),
        f"{number}.2 The service covers {where}. Its service start date is {start}.",
        f"{number}.3 The service lead of the Provider is {lead} ({mail}, telephone {phone}), who is one of the Key Personnel.")
    out += ["### 2. Scope", ""]
    out += paragraphs(f"{number}.4 The service includes:")
    out += [f"- {item};" for item in scope[:-1]] + [f"- {scope[-1]}.", ""]
    out += ["### 3. Particular duties", ""]
    line = 5
    for text in special + [pick(INCIDENTS), pick(HANDOVERS)]:
        out += [f"{number}.{line} {text}", ""]
        line += 1
    out += ["### 4. Service Levels", ""]
    out += ["| Service Level | Target | Service Credit for a month"]
    out += [f"| {what} | {target} | GBP {money(credit)}" for what, target, credit in levels] + [""]
    out += ["### 5. What the Customer provides", ""]
    out += paragraphs(f"{number}.{line} The Customer shall provide {needs[0]}, and {needs[1]}.")
    out += ["### 6. Charges, volume and review", ""]
    out += paragraphs(
        f"{number}.{line + 1} " + pick(CHARGING).format(annual=money(annual), month=money(annual / 12)),
        f"{number}.{line + 2} " + pick(CAPACITY),
        f"{number}.{line + 3} " + pick(REVIEWS).format(review=review))
    quarter = annual / 4
    out += ["| Contract Year | First quarter | Each further quarter | Year"]
    for year in range(3):
        factor = [0.94, 1.0, 1.0][year]
        out += [f"| {2026 + year} to {2027 + year} | {money(quarter * factor)} | {money(quarter)} | {money(quarter * factor + 3 * quarter)}"]
    out += [""]
    out += paragraphs(
        f"{number}.{line + 4} This Service Schedule is signed for the Customer by the head of operational technology and for the Provider by the account director, on 16 February 2026.")
    return out


def all_schedules():
    out = written()
    for index in range(len(SERVICES)):
        out += service(index)
    return "\n".join(out) + "\n"
